import pytest
from hypothesis import given
from hypothesis import strategies as st

from gochat_core.errors import ConversationNotFound, UserNotFound
from gochat_core.ids import EPOCH_MS, IdMaker, parse_conversation_id, parse_user_id, single_conversation_id
from gochat_core.types import UserId

USER_IDS = st.integers(min_value=1, max_value=2**63 - 1).map(UserId)


class HandClock:
    """A clock that tests set by hand."""

    def __init__(self, now_ms: int) -> None:
        self.at_ms = now_ms

    def now_ms(self) -> int:
        return self.at_ms


@given(st.lists(st.integers(min_value=-5, max_value=5), min_size=1, max_size=60))
def test_ids_of_one_maker_never_repeat_whatever_the_clock_does(steps: list[int]) -> None:
    clock = HandClock(EPOCH_MS + 1_000_000)
    maker = IdMaker(clock)
    made: list[int] = []
    for step in steps:
        clock.at_ms += step
        made.extend(maker.next_id() for _ in range(3))
    assert len(set(made)) == len(made)


def test_ids_of_a_later_millisecond_sort_after_those_of_an_earlier_one() -> None:
    clock = HandClock(EPOCH_MS + 1)
    maker = IdMaker(clock)
    earlier = [maker.next_id() for _ in range(100)]
    clock.at_ms += 1
    assert max(earlier) < maker.next_id()


def test_ids_stay_within_63_bits_until_2093() -> None:
    assert IdMaker(HandClock(EPOCH_MS + (1 << 41) - 1)).next_id() < 2**63


@given(USER_IDS, USER_IDS)
def test_both_sides_of_a_single_chat_derive_the_same_id(one: UserId, other: UserId) -> None:
    derived = single_conversation_id(one, other)
    assert derived == single_conversation_id(other, one)
    assert parse_conversation_id(derived) == derived


def test_two_pairs_with_the_same_digits_have_different_chats() -> None:
    assert single_conversation_id(UserId(1), UserId(23)) != single_conversation_id(UserId(12), UserId(3))


@pytest.mark.parametrize("text", ["", "0", "01", "-1", "1.0", " 1", "1\n", "abc", "9" * 19, "9" * 40, "١٢"])
def test_what_cannot_be_a_user_id_is_a_user_that_does_not_exist(text: str) -> None:
    with pytest.raises(UserNotFound):
        parse_user_id(text)


@given(USER_IDS)
def test_a_user_id_survives_its_text(user_id: UserId) -> None:
    assert parse_user_id(str(user_id)) == user_id


@pytest.mark.parametrize("text", ["", "ab", "G" * 32, "A" * 32, "a" * 31, "a" * 33, "a" * 31 + "\n"])
def test_what_cannot_be_a_conversation_id_is_a_conversation_that_does_not_exist(text: str) -> None:
    with pytest.raises(ConversationNotFound):
        parse_conversation_id(text)
