import msgspec

from gochat_contracts.commands import AddReaction, MarkRead, RemoveReaction, SendMessage
from gochat_core.types import ClientMsgId, Seq, UserId
from gochat_repo.command_context import CommandContext, Member
from gochat_repo.conversations import MemberMove
from logic.commands.ledger import open_ledger
from logic.commands.submission import Submission
from logic.pipeline.write_ledger import plan_moves, plan_noted
from tests.unit.logic.ledgers import (
    ALICE,
    BOB,
    CHAT,
    MEMBER,
    NOW_MS,
    asked,
    content,
    key,
    ledger_of,
    person,
    plan,
    reaction,
    target,
)

CROWD = {UserId(number): MEMBER for number in range(1, 21)}


def send(name: str = "m", *, by: UserId = ALICE, to: UserId | None = None) -> Submission:
    command = SendMessage(
        conversation_id=CHAT, client_msg_id=ClientMsgId(name), type="text", content=content("x"), to=to
    )
    return asked(command, by=by)


def react(*, by: UserId = BOB) -> Submission:
    return asked(AddReaction(conversation_id=CHAT, seq=Seq(1), emoji="👍"), by=by)


def read(seq: int, *, by: UserId = BOB) -> Submission:
    return asked(MarkRead(conversation_id=CHAT, seq=Seq(seq)), by=by)


def test_a_message_moves_the_activity_of_all_and_the_sent_cursor_of_one() -> None:
    ledger = ledger_of()
    plan(ledger, [send("a"), send("b")])
    (move,) = plan_moves(ledger, now_ms=NOW_MS)
    assert (move.last_seq, move.change, move.updated_at_ms) == (6, 10, NOW_MS)
    assert move.members == (
        MemberMove(user_id=ALICE, sent_seq=6, activity_at_ms=NOW_MS),
        MemberMove(user_id=BOB, activity_at_ms=NOW_MS),
    )


def test_a_change_moves_what_all_see_and_nobodys_activity() -> None:
    ledger = ledger_of(type="group", member_count=3)
    plan(ledger, [react()])
    (move,) = plan_moves(ledger, now_ms=NOW_MS)
    assert (move.last_seq, move.change, move.updated_at_ms) == (4, 11, NOW_MS)
    assert [(one.activity_at_ms, one.changed_at_ms) for one in move.members] == [(0, NOW_MS)] * 2


def test_a_mark_moves_both_of_a_single_chat_and_its_member_alone_in_a_group() -> None:
    single, group = ledger_of(), ledger_of(type="group", member_count=3)
    for ledger in (single, group):
        plan(ledger, [read(3)])
    own = MemberMove(user_id=BOB, read_seq=3, changed_at_ms=NOW_MS)
    (of_two,) = plan_moves(single, now_ms=NOW_MS)
    assert of_two.members == (MemberMove(user_id=ALICE, changed_at_ms=NOW_MS), own)
    (of_many,) = plan_moves(group, now_ms=NOW_MS)
    assert of_many.members == (own,)
    assert of_many.updated_at_ms == 0


def test_of_a_large_group_only_those_who_acted_are_touched() -> None:
    ledger = ledger_of(members=dict(CROWD), type="group", is_large=True)
    plan(ledger, [send(), react(by=UserId(7)), read(5, by=UserId(9))])
    (move,) = plan_moves(ledger, now_ms=NOW_MS)
    assert [(one.user_id, one.read_seq) for one in move.members] == [(ALICE, 0), (7, 0), (9, 5)]


def test_who_has_left_is_not_touched() -> None:
    gone = Member(join_seq=Seq(1), left_seq=Seq(2), is_alive=True)
    ledger = ledger_of(members={ALICE: MEMBER, BOB: gone}, type="group")
    plan(ledger, [send()])
    assert [one.user_id for one in plan_moves(ledger, now_ms=NOW_MS)[0].members] == [ALICE]


def test_what_changed_nothing_moves_nothing() -> None:
    ledger = ledger_of(members={ALICE: MEMBER, BOB: msgspec.structs.replace(MEMBER, read_seq=3)})
    submissions = [read(3), asked(RemoveReaction(conversation_id=CHAT, seq=Seq(1), emoji="👍")), send(by=UserId(9))]
    outcomes = plan(ledger, submissions)
    assert plan_moves(ledger, now_ms=NOW_MS) == []
    assert plan_noted(submissions, outcomes, ledger, {}).noted == ()


def test_messages_and_changes_are_noted_in_their_order_behind_the_chat_that_begins() -> None:
    ledger = open_ledger({}, CommandContext(newcomers={ALICE: person(ALICE), BOB: person(BOB)}))
    submissions = [send("a", to=BOB), react(), read(1), send("b", by=BOB, to=ALICE)]
    outcomes = plan(ledger, submissions)
    written = plan_noted(submissions, outcomes, ledger, {})
    assert [(one.kind, one.number, one.origin_device_id) for one in written.noted] == [
        ("created", 0, None),
        ("message", 1, "phone"),
        ("change", 1, None),
        ("message", 2, "phone"),
    ]
    payload = written.noted[2].payload
    assert payload is not None
    assert msgspec.json.decode(payload) == {
        "event": "reaction",
        "data": msgspec.json.decode(written.changes[(CHAT, 1)]),
    }


def test_where_a_list_was_read_again_its_events_say_what_was_read() -> None:
    crowd = tuple(UserId(100 + number) for number in range(20))
    ledger = ledger_of(
        target(1, reactions=(reaction("👍", *crowd, count=25),)),
        reacted={key("👍", crowd[0])},
        members={crowd[0]: MEMBER, BOB: MEMBER},
    )
    submissions = [asked(RemoveReaction(conversation_id=CHAT, seq=Seq(1), emoji="👍"), by=crowd[0]), react()]
    outcomes = plan(ledger, submissions)
    first = (*crowd[1:], UserId(300))
    written = plan_noted(submissions, outcomes, ledger, {(CHAT, Seq(1), "👍"): first})
    told = [msgspec.json.decode(data) for data in written.changes.values()]
    assert [(one["count"], one["user_ids"]) for one in told] == [
        (24, [str(user) for user in first]),
        (25, [str(user) for user in first]),
    ]
