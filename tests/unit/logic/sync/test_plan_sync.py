from collections.abc import Mapping
from typing import Any

from gochat_core.types import ConversationId, Seq
from gochat_repo.conversation_entries import ConversationEntry
from gochat_repo.participants import Participation
from gochat_repo.sync import Measured, MeasuredMessage, MovedConversation
from logic.sync.plan_sync import REACH_BACK_MS, Page, SyncCursor, SyncLimits, plan_page, plan_wants
from logic.sync.sync_token import Rest, SyncToken

ONE, TWO, THREE = (ConversationId(f"{number:032x}") for number in (1, 2, 3))
LIMITS = SyncLimits(conversations=2, messages=3, latest=2, bytes=10_000)
NOW_MS = 1_795_413_600_000
SINCE = SyncToken(since_ms=NOW_MS - 60_000)


def moved(conversation_id: ConversationId, *, last_seq: int = 5, change: int = 0, **facts: Any) -> MovedConversation:
    """Return a conversation on a walk, of which its member sees everything unless told otherwise."""
    own = Participation(
        last_seq=Seq(last_seq), join_seq=Seq(1), read_seq=0, sent_seq=0, cleared_seq=facts.pop("floor", 0)
    )
    entry = ConversationEntry(
        conversation_id=conversation_id,
        type="single",
        member_count=2,
        change=change,
        activity_at_ms=NOW_MS,
        own=own,
        is_hidden=facts.pop("is_hidden", False),
        is_muted=False,
        is_pinned=False,
        peer=None,
        peer_delivered_seq=0,
        peer_read_seq=0,
        last_message=None,
    )
    standing: dict[str, Any] = {"position": (NOW_MS, conversation_id), "has_left": False, "cleared_at_ms": 0}
    return MovedConversation(entry=entry, **(standing | facts))


def sized(*seqs: int, change: int = 0, size: int = 100) -> list[MeasuredMessage]:
    """Return messages of one size; with `change`, each is one change behind the one before."""
    return [MeasuredMessage(seq=Seq(seq), change=change + n if change else 0, bytes=size) for n, seq in enumerate(seqs)]


def plan(
    *walk: MovedConversation,
    token: SyncToken = SINCE,
    cursors: Mapping[ConversationId, SyncCursor] | None = None,
    messages: Mapping[ConversationId, list[MeasuredMessage]] | None = None,
    changed: Mapping[ConversationId, list[MeasuredMessage]] | None = None,
) -> Page:
    """Plan a page."""
    named = cursors or {}
    measured = Measured(messages=dict(messages or {}), changed=dict(changed or {}), last_bytes={})
    wants = plan_wants(walk, token, named, LIMITS)
    return plan_page(walk, wants, measured, token, named, LIMITS, now_ms=NOW_MS)


def test_a_finished_walk_reaches_back_over_its_beginning() -> None:
    assert plan(moved(ONE)).token == SyncToken(since_ms=NOW_MS - REACH_BACK_MS)
    began = SyncToken(since_ms=5, began_ms=NOW_MS - 9_000, position=(6, ONE))
    page = plan(moved(TWO), token=began)
    assert (page.token, page.has_more) == (SyncToken(since_ms=NOW_MS - 9_000 - REACH_BACK_MS), False)


def test_a_page_that_is_full_goes_on_behind_its_last_conversation() -> None:
    page = plan(moved(ONE), moved(TWO), moved(THREE))
    assert [part.moved.entry.conversation_id for part in page.parts] == [ONE, TWO]
    assert page.token == SyncToken(since_ms=SINCE.since_ms, began_ms=NOW_MS, position=(NOW_MS, TWO))
    assert page.has_more


def test_a_long_walk_over_everything_ends_with_one_more_page() -> None:
    short = plan(moved(ONE), token=SyncToken(since_ms=None))
    assert not short.has_more
    long = plan(moved(ONE), token=SyncToken(since_ms=None, began_ms=NOW_MS - 7, position=(NOW_MS, TWO)))
    assert (long.has_more, long.token) == (True, SyncToken(since_ms=NOW_MS - 7 - REACH_BACK_MS))


def test_what_does_not_fit_beside_others_waits_for_the_next_page_and_is_cut_there() -> None:
    large = sized(1, 2, 3, size=3_000)
    page = plan(moved(ONE), moved(TWO), messages={ONE: sized(1), TWO: large})
    assert [part.seqs for part in page.parts] == [(1,)]
    assert page.token.position == (NOW_MS, ONE)
    page = plan(moved(TWO), token=page.token, messages={TWO: large})
    assert [(part.seqs, part.has_more) for part in page.parts] == [((1,), True)]
    assert not page.has_more, "the rest comes from the history"


def test_a_message_that_is_larger_than_an_answer_is_still_sent() -> None:
    page = plan(moved(ONE, last_seq=1), messages={ONE: sized(1, size=50_000)})
    assert page.parts[0].seqs == (1,)


def test_a_cut_list_of_mutated_messages_ends_the_page_and_goes_on() -> None:
    cursors = {ONE: SyncCursor(seq=5, change=10)}
    page = plan(moved(ONE, change=14), moved(TWO), cursors=cursors, changed={ONE: sized(4, 1, 3, 2, change=11)})
    assert [(part.changed, part.change) for part in page.parts] == [((4, 1, 3), 13)]
    assert (page.token.rest, page.token.position) == (Rest(conversation_id=ONE, change=13), None)
    (want, _) = plan_wants([moved(ONE, change=14), moved(TWO)], page.token, cursors, LIMITS)
    assert want.changed is not None
    assert want.changed.after_change == 13, "whatever the cursor says"
    page = plan(
        moved(ONE, change=14), moved(TWO), token=page.token, cursors=cursors, changed={ONE: sized(2, change=14)}
    )
    assert [(part.changed, part.change) for part in page.parts] == [((2,), 14), ((), 0)]


def test_what_was_mutated_behind_the_state_that_was_read_is_not_claimed_to_be_known() -> None:
    cursors = {ONE: SyncCursor(seq=5, change=0)}
    page = plan(moved(ONE, change=2), cursors=cursors, changed={ONE: sized(1, 2, 3, 4, change=2)})
    assert page.parts[0].change == 2
    assert page.token.rest == Rest(conversation_id=ONE, change=2)


def test_messages_stored_behind_the_state_that_was_read_are_left_to_the_next_time() -> None:
    page = plan(moved(ONE, last_seq=2), messages={ONE: sized(1, 2, 3)})
    assert (page.parts[0].seqs, page.parts[0].has_more) == ((1, 2), False)


def test_gone_conversations_are_removed_where_somebody_may_hold_them() -> None:
    gone = (moved(ONE, is_hidden=True), moved(TWO, has_left=True))
    assert plan(*gone).removed == (ONE, TWO)
    everything = SyncToken(since_ms=None)
    assert plan(*gone, token=everything).removed == ()
    assert plan(*gone, token=everything, cursors={TWO: SyncCursor(seq=1, change=0)}).removed == (TWO,)


def test_what_was_cleared_since_the_token_starts_anew_whatever_the_cursor() -> None:
    cleared = moved(ONE, floor=3, cleared_at_ms=NOW_MS)
    cursors = {ONE: SyncCursor(seq=5, change=9)}
    (want,) = plan_wants([cleared], SINCE, cursors, LIMITS)
    assert (want.range.after_seq, want.changed, want.starts_anew) == (3, None, True)
    assert plan(cleared, cursors=cursors, messages={ONE: sized(4, 5)}).removed == (ONE,)
    (want,) = plan_wants([cleared], SyncToken(since_ms=NOW_MS), cursors, LIMITS)
    assert not want.starts_anew, "the device knows of it"
    (want,) = plan_wants([cleared], SyncToken(since_ms=None), {}, LIMITS)
    assert not want.starts_anew, "a new device has nothing to forget"


def test_a_cursor_from_the_future_has_nothing_behind_it() -> None:
    most = (1 << 63) - 1
    (want,) = plan_wants([moved(ONE, change=4)], SINCE, {ONE: SyncCursor(seq=most, change=most)}, LIMITS)
    assert want.range.after_seq >= want.range.last_seq
    assert want.changed is None
