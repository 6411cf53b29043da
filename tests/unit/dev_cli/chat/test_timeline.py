"""The order in which the terminal client shows messages."""

from hypothesis import given
from hypothesis import strategies as st

from dev_cli.chat.timeline import ChatMessage, Timeline


def message(seq: int, *, latency_ms: float | None = None) -> ChatMessage:
    return ChatMessage(
        seq=seq, sender_id="1", text=f"text {seq}", created_at="2026-11-23T07:00:00.000Z", latency_ms=latency_ms
    )


def seqs(messages: list[ChatMessage]) -> list[int]:
    return [each.seq for each in messages]


def test_nothing_is_shown_before_it_is_known_where_the_history_begins() -> None:
    timeline = Timeline()
    assert timeline.add([message(8)]) == []
    assert seqs(timeline.begin_after(7)) == [8]


def test_a_message_behind_a_hole_waits_and_the_hole_is_told() -> None:
    timeline = Timeline()
    timeline.begin_after(0)
    assert seqs(timeline.add([message(1), message(3)])) == [1]
    assert timeline.gap_after() == 1
    assert seqs(timeline.add([message(2)])) == [2, 3]
    assert timeline.gap_after() is None


def test_a_message_that_comes_twice_is_shown_once() -> None:
    timeline = Timeline()
    timeline.begin_after(0)
    assert seqs(timeline.add([message(1), message(1)])) == [1]
    assert timeline.add([message(1)]) == []


def test_a_fetched_copy_does_not_hide_the_latency_of_our_own() -> None:
    timeline = Timeline()
    timeline.begin_after(0)
    timeline.add([message(2, latency_ms=12.0), message(2)])
    assert [each.latency_ms for each in timeline.add([message(1)])] == [None, 12.0]


def test_what_lies_before_the_beginning_is_never_shown() -> None:
    timeline = Timeline()
    timeline.add([message(3), message(11)])
    assert seqs(timeline.begin_after(10)) == [11]


@given(st.permutations(range(1, 12)), st.lists(st.integers(1, 11)))
def test_every_order_of_arrival_shows_every_message_once_in_order(order: list[int], again: list[int]) -> None:
    timeline = Timeline()
    timeline.begin_after(0)
    shown = [seq for each in [*order, *again] for seq in seqs(timeline.add([message(each)]))]
    assert shown == list(range(1, 12))
