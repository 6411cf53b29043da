from typing import Any

import pytest

from gochat_contracts.commands import AddReaction, RecallMessage, RemoveReaction, SendMessage
from gochat_core.errors import ConversationNotFound, GochatError, InvalidRequest, MessageNotFound
from gochat_core.types import ClientMsgId, ConversationId, Seq, UserId
from gochat_repo.command_context import Target
from gochat_repo.reactions import Reaction, ReactionRow, needs_first_users, with_reaction, without_reaction
from logic.commands.outcomes import Unchanged
from logic.commands.submission import Submission
from tests.unit.logic.ledgers import (
    ALICE,
    BOB,
    CAROL,
    CHAT,
    asked,
    changed,
    content,
    elsewhere,
    error_of,
    key,
    ledger_of,
    plan,
    reaction,
    target,
)

CROWD = tuple(UserId(100 + number) for number in range(30))


def add(emoji: str = "👍", seq: int = 1, *, chat: ConversationId = CHAT, **who: Any) -> Submission:
    return asked(AddReaction(conversation_id=chat, seq=Seq(seq), emoji=emoji), **{"by": BOB, **who})


def remove(emoji: str = "👍", seq: int = 1, *, chat: ConversationId = CHAT, **who: Any) -> Submission:
    return asked(RemoveReaction(conversation_id=chat, seq=Seq(seq), emoji=emoji), **{"by": BOB, **who})


def test_a_reaction_is_counted_listed_and_told() -> None:
    ledger = ledger_of()
    (outcome,) = plan(ledger, [add()])
    assert changed(outcome).target.reactions == (reaction("👍", BOB),)
    assert changed(outcome).event == "reaction"
    assert changed(outcome).data == {
        "conversation_id": CHAT,
        "seq": 1,
        "change": 11,
        "user_id": "2",
        "emoji": "👍",
        "action": "add",
        "count": 1,
        "user_ids": ["2"],
    }
    assert ledger.reaction_rows[key("👍", BOB)] == ReactionRow(
        conversation_id=CHAT, seq=Seq(1), emoji="👍", user_id=BOB, change=11, is_removed=False
    )


def test_the_last_one_to_go_takes_the_emoji_along() -> None:
    ledger = ledger_of(target(1, reactions=(reaction("👍", BOB),)), reacted={key("👍", BOB)})
    (outcome,) = plan(ledger, [remove()])
    assert changed(outcome).target.reactions == ()
    assert (changed(outcome).data["action"], changed(outcome).data["count"]) == ("remove", 0)
    assert ledger.reaction_rows[key("👍", BOB)].is_removed


def test_a_reaction_that_is_there_and_one_that_is_not_change_nothing() -> None:
    held = target(1, reactions=(reaction("👍", BOB),))
    ledger = ledger_of(held, reacted={key("👍", BOB)})
    assert plan(ledger, [add(), remove("🎉"), remove(by=ALICE)]) == [Unchanged(target=held)] * 3
    assert (ledger.changed, ledger.reaction_rows) == ({}, {})


def test_within_a_batch_each_is_decided_over_what_the_one_before_has_left() -> None:
    ledger = ledger_of()
    outcomes = plan(ledger, [add(), add(), remove(), remove(), add(), add("🎉"), add(by=ALICE)])
    assert [isinstance(one, Unchanged) for one in outcomes] == [False, True, False, True, False, False, False]
    assert ledger.changed[(CHAT, Seq(1))].reactions == (reaction("👍", BOB, ALICE), reaction("🎉", BOB))
    assert {row: held.is_removed for row, held in ledger.reaction_rows.items()} == {
        key("👍", BOB): False,
        key("🎉", BOB): False,
        key("👍", ALICE): False,
    }


def test_a_message_can_be_reacted_to_in_the_batch_that_sends_it() -> None:
    send = asked(SendMessage(conversation_id=CHAT, client_msg_id=ClientMsgId("m"), type="text", content=content("x")))
    refused, _, outcome = plan(ledger_of(), [add(seq=5), send, add(seq=5)])
    assert error_of(refused) is MessageNotFound
    assert changed(outcome).target.reactions == (reaction("👍", BOB),)


def test_a_recall_takes_the_reactions_of_its_own_batch_along() -> None:
    recall = asked(RecallMessage(conversation_id=CHAT, seq=Seq(1)))
    ledger = ledger_of()
    _, recalled, behind = plan(ledger, [add(), recall, add("🎉")])
    assert changed(recalled).target.reactions == ()
    assert error_of(behind) is MessageNotFound
    assert ledger.reaction_rows == {}


def test_a_twenty_first_emoji_is_refused_and_another_of_the_twenty_is_not() -> None:
    twenty = tuple(reaction(chr(0x1F600 + number), ALICE) for number in range(20))
    one_more, another = plan(ledger_of(target(1, reactions=twenty)), [add("👍"), add(twenty[3].emoji)])
    assert error_of(one_more) is InvalidRequest
    assert changed(another).target.reactions[3] == reaction(twenty[3].emoji, ALICE, BOB)


@pytest.mark.parametrize("make", [add, remove])
@pytest.mark.parametrize(
    ("given", "held", "expected"),
    [
        ({"by": CAROL}, target(1), ConversationNotFound),
        ({"chat": elsewhere()}, target(1), ConversationNotFound),
        ({"seq": 5}, target(1), MessageNotFound),
        ({}, target(1, recalled_at_ms=2), MessageNotFound),
    ],
    ids=["an outsider", "no such conversation", "beyond the end", "a recalled one"],
)
def test_refusals(make: Any, given: dict[str, Any], held: Target, expected: type[GochatError]) -> None:
    ledger = ledger_of(held)
    (outcome,) = plan(ledger, [make(**given)])
    assert error_of(outcome) is expected
    assert ledger.changed == {}


def test_a_summary_lists_the_first_twenty_and_counts_all() -> None:
    summary: tuple[Reaction, ...] = ()
    for user in CROWD:
        summary = with_reaction(summary, "👍", user)
    assert summary == (reaction("👍", *CROWD[:20], count=30),)
    assert not needs_first_users(summary[0])


def test_a_list_lacks_somebody_only_when_a_listed_one_goes_and_others_wait() -> None:
    long, short = (reaction("👍", *CROWD[:20], count=30),), (reaction("👍", *CROWD[:20]),)
    (unlisted_gone,) = without_reaction(long, "👍", CROWD[25])
    assert (unlisted_gone, needs_first_users(unlisted_gone)) == (reaction("👍", *CROWD[:20], count=29), False)
    (listed_gone,) = without_reaction(long, "👍", CROWD[0])
    assert needs_first_users(listed_gone)
    (nobody_waits,) = without_reaction(short, "👍", CROWD[0])
    assert not needs_first_users(nobody_waits)


def test_nobody_is_put_on_a_list_past_those_who_wait() -> None:
    (gap,) = without_reaction((reaction("👍", *CROWD[:20], count=21),), "👍", CROWD[0])
    (after,) = with_reaction((gap,), "👍", CROWD[29])
    assert (after.count, CROWD[29] in after.user_ids, needs_first_users(after)) == (21, False, True)
