from typing import Any

import msgspec
import pytest

from gochat_contracts.commands import (
    AddReaction,
    Command,
    EditMessage,
    MarkDelivered,
    MarkRead,
    RecallMessage,
    RemoveReaction,
    SendMessage,
    Typing,
)
from gochat_core.types import ClientMsgId, Seq, UserId
from gochat_repo.command_context import CommandContext, KnownMessage, Member
from logic.announce.announcement import Announcement
from logic.commands.ledger import Ledger, open_ledger
from logic.commands.submission import Submission
from logic.messages.send_message import hash_content
from logic.pipeline.store_commands import StoredBatch, StoredPart
from logic.pipeline.tell_outcomes import tell_outcomes, unannounced
from logic.pipeline.write_ledger import plan_noted
from tests.unit.logic.ledgers import (
    ALICE,
    BOB,
    CAROL,
    CHAT,
    LAPTOP,
    MEMBER,
    NOW_MS,
    PHONE,
    asked,
    content,
    ledger_of,
    person,
    plan,
    target,
)

PAYLOAD = b'{"event":"message.edited","data":{"seq":1,"change":9}}'
EVERY_COMMAND: list[Command] = [
    SendMessage(conversation_id=CHAT, client_msg_id=ClientMsgId("m"), type="text", content=content("x")),
    MarkDelivered(conversation_id=CHAT, seq=Seq(1)),
    MarkRead(conversation_id=CHAT, seq=Seq(1)),
    RecallMessage(conversation_id=CHAT, seq=Seq(1)),
    EditMessage(conversation_id=CHAT, seq=Seq(1), content=content("x")),
    AddReaction(conversation_id=CHAT, seq=Seq(1), emoji="👍"),
    RemoveReaction(conversation_id=CHAT, seq=Seq(1), emoji="👍"),
    Typing(conversation_id=CHAT),
]


def batch_of(ledger: Ledger, submissions: list[Submission]) -> StoredBatch:
    outcomes = plan(ledger, submissions)
    written = plan_noted(submissions, outcomes, ledger, {})
    part = StoredPart(submissions=submissions, outcomes=outcomes, ledger=ledger, written=written)
    return StoredBatch(parts=(part,))


def told(ledger: Ledger, *submissions: Submission) -> Announcement:
    return tell_outcomes(batch_of(ledger, list(submissions)))


def read(seq: int, *, by: UserId = BOB, **given: Any) -> Submission:
    return asked(MarkRead(conversation_id=CHAT, seq=Seq(seq)), by=by, **given)


@pytest.mark.parametrize("command", EVERY_COMMAND, ids=lambda one: asked(one).action)
def test_a_refusal_is_told_to_the_device_that_asked(command: Command) -> None:
    announcement = told(ledger_of(), asked(command, by=CAROL))
    (answer,) = announcement.answers or (None,)
    action = asked(command).action
    if action == "typing":
        assert answer is None, "what was never acknowledged is not refused"
        return
    assert answer is not None
    assert (answer.user_id, answer.device_id) == (CAROL, PHONE)
    name = {"client_msg_id": "m"} if action == "message.send" else {"id": "f1", "action": action}
    assert answer.event == ("message.rejected" if action == "message.send" else "request.rejected")
    assert msgspec.json.decode(answer.data) == name | {
        "code": "conversation_not_found",
        "message": "There is no such conversation",
    }


@pytest.mark.parametrize("command", EVERY_COMMAND, ids=lambda one: asked(one).action)
def test_nobody_is_answered_over_rest(command: Command) -> None:
    assert told(ledger_of(), asked(command, by=CAROL, over_rest=True)).answers == ()
    assert told(ledger_of(), asked(command, over_rest=True)).answers == ()


@pytest.mark.parametrize("command", EVERY_COMMAND[1:], ids=lambda one: asked(one).action)
def test_what_is_carried_out_is_answered_by_its_events_alone(command: Command) -> None:
    assert told(ledger_of(), asked(command)).answers == ()


def test_a_change_is_told_to_members_who_joined_before_its_message() -> None:
    late = Member(join_seq=Seq(2), left_seq=None, is_alive=True)
    gone = Member(join_seq=Seq(1), left_seq=Seq(3), is_alive=True)
    ledger = ledger_of(members={ALICE: MEMBER, BOB: MEMBER, CAROL: late, UserId(4): gone}, type="group")
    announcement = told(ledger, asked(AddReaction(conversation_id=CHAT, seq=Seq(1), emoji="👍"), by=BOB))
    (event,) = announcement.events
    assert (event.event, event.user_ids, event.except_device) == ("reaction", (ALICE, BOB), None)
    assert [(one.kind, one.number) for one in announcement.noted] == [("change", 11)]


def test_what_changes_nothing_is_told_again_while_its_last_change_is_outstanding() -> None:
    held = target(1, change=9, outstanding=PAYLOAD)
    edit = asked(EditMessage(conversation_id=CHAT, seq=Seq(1), content=msgspec.Raw(held.content or b"")))
    announcement = told(ledger_of(held), edit, edit)
    (event,) = announcement.events
    assert (event.event, msgspec.json.decode(event.data), event.user_ids) == (
        "message.edited",
        {"seq": 1, "change": 9},
        (ALICE, BOB),
    )
    assert [(one.kind, one.number) for one in announcement.noted] == [("change", 9)]
    assert told(ledger_of(target(1, change=9, content=held.content)), edit) == Announcement()


def test_receipts_of_one_member_are_one_and_name_the_end() -> None:
    sent = Member(join_seq=Seq(1), left_seq=None, is_alive=True, sent_seq=4)
    ledger = ledger_of(members={ALICE: sent, BOB: MEMBER})
    delivered = asked(MarkDelivered(conversation_id=CHAT, seq=Seq(4)), by=BOB)
    to_sender, to_self = told(ledger, read(1), delivered, read(2)).events
    assert (to_sender.event, to_sender.user_ids) == ("receipt", (ALICE,))
    assert msgspec.json.decode(to_sender.data) == {
        "conversation_id": CHAT,
        "user_id": "2",
        "delivered_seq": 4,
        "read_seq": 2,
    }
    assert (to_self.user_ids, to_self.except_device, to_self.data) == ((BOB,), PHONE, to_sender.data)


@pytest.mark.parametrize(
    ("sent_seq", "before", "is_told"),
    [(1, 0, True), (1, 1, False), (2, 1, True), (0, 0, False)],
    ids=["was read now", "was read before", "sent since", "never sent anything"],
)
def test_only_senders_behind_the_old_cursor_are_told(sent_seq: int, before: int, is_told: bool) -> None:
    sender = Member(join_seq=Seq(1), left_seq=None, is_alive=True, sent_seq=sent_seq)
    reader = Member(join_seq=Seq(1), left_seq=None, is_alive=True, read_seq=before)
    events = told(ledger_of(members={ALICE: sender, BOB: reader}), read(3)).events
    assert [one.user_ids for one in events] == ([(ALICE,), (BOB,)] if is_told else [(BOB,)])


def test_a_device_hears_what_the_others_told_and_not_what_it_told_itself() -> None:
    (only,) = told(ledger_of(), read(2, device=LAPTOP)).events
    assert only.except_device == LAPTOP
    (both,) = told(ledger_of(), read(2, device=LAPTOP), read(3, device=PHONE)).events
    assert both.except_device is None


def test_in_a_large_group_only_the_readers_own_devices_hear_of_it() -> None:
    sent = Member(join_seq=Seq(1), left_seq=None, is_alive=True, sent_seq=4)
    acting = {ALICE: sent, BOB: sent}
    events = told(ledger_of(members=acting, type="group", is_large=True), read(3)).events
    assert [one.user_ids for one in events] == [(BOB,)]


def test_each_member_of_a_new_chat_is_shown_it_as_it_is_after_the_batch() -> None:
    ledger = open_ledger({}, CommandContext(newcomers={ALICE: person(ALICE), BOB: person(BOB)}))
    first = SendMessage(conversation_id=CHAT, client_msg_id=ClientMsgId("a"), type="text", content=content("x"), to=BOB)
    announcement = told(ledger, asked(first), asked(AddReaction(conversation_id=CHAT, seq=Seq(1), emoji="👍"), by=BOB))
    seen = {one.user_ids: msgspec.json.decode(one.data)["conversation"] for one in announcement.openings}
    assert {users: one["peer"]["user_id"] for users, one in seen.items()} == {(ALICE,): "2", (BOB,): "1"}
    assert [seen[(user,)]["unread_count"] for user in (ALICE, BOB)] == [0, 1]
    assert [seen[(user,)]["last_message"]["reactions"][0]["mine"] for user in (ALICE, BOB)] == [False, True]
    assert [one.message.change for one in announcement.news] == [1]
    assert [one.kind for one in announcement.noted] == ["created", "message", "change"]


def test_an_unannounced_first_message_brings_its_chat_along() -> None:
    ledger = ledger_of()
    command = SendMessage(conversation_id=CHAT, client_msg_id=ClientMsgId("a"), type="text", content=content("x"))
    for seq, kinds in ((1, ["created", "message"]), (2, ["message"])):
        ledger.known[(CHAT, ALICE, ClientMsgId("a"))] = KnownMessage(
            seq=Seq(seq),
            message_id=1,  # type: ignore[arg-type]  # any
            content_hash=hash_content(command),
            created_at_ms=NOW_MS,
            announced=False,
        )
        batch = batch_of(ledger, [asked(command), asked(command)])
        assert [one.kind for one in unannounced(batch)] == kinds
        assert tell_outcomes(batch).news == ()


def test_parts_of_a_batch_are_told_one_after_the_other() -> None:
    first, second = (batch_of(ledger_of(), [read(seq)]) for seq in (1, 2))
    whole = tell_outcomes(StoredBatch(parts=first.parts + second.parts))
    assert [msgspec.json.decode(one.data)["read_seq"] for one in whole.events] == [1, 2]
