from typing import Any

import pytest

from gochat_contracts.commands import EditMessage, RecallMessage
from gochat_core.errors import ConversationNotFound, Forbidden, GochatError, MessageNotFound
from gochat_core.types import ConversationId, Seq
from gochat_repo.command_context import Member
from logic.commands.outcomes import Unchanged
from logic.commands.submission import Submission
from logic.messages.recall_message import RECALL_WINDOW_MS
from tests.unit.logic.ledgers import (
    ALICE,
    BOB,
    CAROL,
    CHAT,
    MEMBER,
    NOW_MS,
    asked,
    changed,
    content,
    elsewhere,
    error_of,
    ledger_of,
    plan,
    reaction,
    target,
)

GONE = Member(join_seq=Seq(1), left_seq=Seq(3), is_alive=True)


def recall(seq: int = 1, *, chat: ConversationId = CHAT, **who: Any) -> Submission:
    return asked(RecallMessage(conversation_id=chat, seq=Seq(seq)), **who)


def test_a_recall_empties_the_message_and_says_so() -> None:
    (outcome,) = plan(ledger_of(target(1, reactions=(reaction("👍", BOB),))), [recall()])
    after = changed(outcome).target
    assert (after.content, after.reactions, after.recalled_at_ms, after.change) == (b"{}", (), NOW_MS, 11)
    assert changed(outcome).event == "message.recalled"
    assert changed(outcome).data == {
        "conversation_id": CHAT,
        "seq": 1,
        "change": 11,
        "sender_id": "1",
        "recalled_at": "2026-11-23T06:00:00.000Z",
    }


def test_changes_are_numbered_one_after_the_other() -> None:
    outcomes = plan(ledger_of(), [recall(1), recall(2, by=BOB), recall(3)])
    assert [changed(one).target.change for one in outcomes] == [11, 12, 13]


def test_a_message_can_be_recalled_until_two_minutes_have_passed() -> None:
    created_at_ms = NOW_MS - 500_000
    old = target(1, created_at_ms=created_at_ms)
    (in_time,) = plan(ledger_of(old), [recall(at_ms=created_at_ms + RECALL_WINDOW_MS)])
    (too_late,) = plan(ledger_of(old), [recall(at_ms=created_at_ms + RECALL_WINDOW_MS + 1)])
    assert changed(in_time).target.recalled_at_ms == NOW_MS
    assert error_of(too_late) is Forbidden


def test_recalling_what_is_recalled_changes_nothing_however_late() -> None:
    gone = target(1, created_at_ms=1, recalled_at_ms=2, change=5)
    ledger = ledger_of(gone)
    assert plan(ledger, [recall()]) == [Unchanged(target=gone)]
    assert ledger.changed == {}


def test_a_second_recall_within_the_batch_changes_nothing() -> None:
    first, second = plan(ledger_of(), [recall(), recall()])
    assert second == Unchanged(target=changed(first).target)


def test_an_edit_before_its_recall_stands_and_one_behind_it_is_refused() -> None:
    edit = asked(EditMessage(conversation_id=CHAT, seq=Seq(1), content=content("x")))
    ledger = ledger_of()
    before, recalled, behind = plan(ledger, [edit, recall(), edit])
    assert changed(before).target.content == bytes(content("x"))
    assert changed(recalled).target.content == b"{}"
    assert error_of(behind) is MessageNotFound
    assert ledger.changed == {(CHAT, 1): changed(recalled).target}


@pytest.mark.parametrize(
    ("given", "state", "expected"),
    [
        (recall(by=CAROL), {}, ConversationNotFound),
        (recall(), {"members": {ALICE: GONE, BOB: MEMBER}}, ConversationNotFound),
        (recall(chat=elsewhere()), {}, ConversationNotFound),
        (recall(by=BOB), {}, Forbidden),
        (recall(5), {}, MessageNotFound),
        (recall(2**63 - 1), {}, MessageNotFound),
        (recall(1), {"members": {ALICE: Member(join_seq=Seq(2), left_seq=None, is_alive=True)}}, MessageNotFound),
        (
            recall(1),
            {"members": {ALICE: Member(join_seq=Seq(1), left_seq=None, is_alive=True, cleared_seq=1)}},
            MessageNotFound,
        ),
        (recall(1), {"expired_seq": 1}, MessageNotFound),
    ],
    ids=[
        "an outsider",
        "a member who left",
        "no such conversation",
        "somebody else's",
        "beyond the end",
        "far beyond the end",
        "before joining",
        "what was cleared",
        "past its retention",
    ],
)
def test_refusals(given: Submission, state: dict[str, Any], expected: type[GochatError]) -> None:
    ledger = ledger_of(**state)
    (outcome,) = plan(ledger, [given])
    assert error_of(outcome) is expected
    assert (ledger.changed, ledger.chats[CHAT].change) == ({}, 10)


def test_somebody_elses_recalled_message_is_still_somebody_elses() -> None:
    (outcome,) = plan(ledger_of(target(1, recalled_at_ms=2)), [recall(by=BOB)])
    assert error_of(outcome) is Forbidden
