import pytest
from hypothesis import given
from hypothesis import strategies as st

from gochat_core.cursors import read_cursor, write_cursor
from gochat_core.errors import InvalidRequest


@given(st.integers(min_value=0, max_value=2**63 - 1), st.text(alphabet=st.characters(codec="utf-8"), max_size=100))
def test_a_cursor_comes_back_as_it_was_written(number: int, text: str) -> None:
    assert read_cursor("list", write_cursor("list", number, text), int, str) == (number, text)


def test_a_cursor_of_another_list_is_refused() -> None:
    with pytest.raises(InvalidRequest):
        read_cursor("users", write_cursor("conversations", 5), int)


def test_a_cursor_of_other_types_is_refused() -> None:
    for types in [(str,), (int, int), ()]:
        with pytest.raises(InvalidRequest):
            read_cursor("users", write_cursor("users", 5), *types)


@given(st.text(max_size=600))
def test_whatever_else_a_client_sends_is_refused(text: str) -> None:
    with pytest.raises(InvalidRequest) as raised:
        read_cursor("users", text, int)
    assert [fault.field for fault in raised.value.faults] == ["cursor"]


@given(st.data())
def test_a_changed_cursor_is_refused(data: st.DataObject) -> None:
    cursor = write_cursor("users", "alice", 17)
    place = data.draw(st.integers(min_value=0, max_value=len(cursor) - 2))
    other = data.draw(st.sampled_from("ABCabc019-_").filter(lambda sign: sign != cursor[place]))
    with pytest.raises(InvalidRequest):
        read_cursor("users", cursor[:place] + other + cursor[place + 1 :], str, int)
