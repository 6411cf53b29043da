from collections.abc import Callable
from itertools import count
from typing import Any

import msgspec
import pytest

from gochat_contracts.commands import SendMessage
from gochat_contracts.records import Sender
from gochat_core.errors import (
    ClientMsgIdConflict,
    ConversationNotFound,
    GochatError,
    InternalError,
    InvalidRequest,
    MessageNotFound,
    UserNotFound,
)
from gochat_core.ids import single_conversation_id
from gochat_core.types import ClientMsgId, ConversationId, DeviceId, MessageId, Seq, SessionId, UserId
from gochat_repo.command_context import CommandContext, KnownMessage, Member
from gochat_repo.conversations import LockedConversation
from gochat_repo.users import User
from logic.commands.ledger import open_ledger
from logic.commands.outcomes import Outcome, Refuse, Repeat, Store
from logic.commands.submission import Submission
from logic.messages.send_message import hash_content
from logic.pipeline.plan_commands import plan_commands

ALICE, BOB, CAROL = UserId(1), UserId(2), UserId(3)
CHAT = single_conversation_id(ALICE, BOB)
NOW_MS = 1_795_413_600_000
MEMBER = Member(join_seq=Seq(1), left_seq=None, is_alive=True)
GONE = Member(join_seq=Seq(1), left_seq=Seq(3), is_alive=True)
ERASED = Member(join_seq=Seq(1), left_seq=None, is_alive=False)
LATE = Member(join_seq=Seq(5), left_seq=None, is_alive=True)


def submission(
    client_msg_id: str = "m1",
    *,
    sender: UserId = ALICE,
    conversation_id: ConversationId = CHAT,
    to: UserId | None = None,
    text: str = "hello",
    **command: Any,
) -> Submission:
    return Submission(
        sender=Sender(user_id=sender, device_id=DeviceId("phone"), session_id=SessionId(7)),
        command=SendMessage(
            conversation_id=conversation_id,
            client_msg_id=ClientMsgId(client_msg_id),
            type="text",
            content=msgspec.Raw(msgspec.json.encode({"text": text})),
            to=to,
            **command,
        ),
        accepted_at_ms=NOW_MS - 5,
    )


def known(one: Submission, *, seq: int = 4, announced: bool = True) -> dict[Any, KnownMessage]:
    command = one.command
    assert isinstance(command, SendMessage)
    return {
        (CHAT, one.sender.user_id, command.client_msg_id): KnownMessage(
            seq=Seq(seq),
            message_id=MessageId(99),
            content_hash=hash_content(command),
            created_at_ms=NOW_MS - 1000,
            announced=announced,
        )
    }


def plan(
    *submissions: Submission,
    last_seq: int | None = 4,
    members: dict[UserId, Member] | None = None,
    known: dict[Any, KnownMessage] | None = None,
    alive: tuple[UserId, ...] = (ALICE, BOB),
    next_id: Callable[[], int] | None = None,
) -> list[Outcome]:
    locked = (
        {}
        if last_seq is None
        else {CHAT: LockedConversation(conversation_id=CHAT, type="single", last_seq=Seq(last_seq))}
    )
    context = CommandContext(
        known=known or {},
        members={} if last_seq is None else {CHAT: {ALICE: MEMBER, BOB: MEMBER} if members is None else members},
        newcomers={
            user_id: User(user_id=user_id, username="x", display_name="X", avatar_url=None, created_at_ms=1)
            for user_id in alive
        },
    )
    ledger = open_ledger(locked, context)
    return plan_commands(submissions, ledger, next_id=next_id or count(100).__next__, now_ms=NOW_MS)


def seqs(outcomes: list[Outcome]) -> list[int | None]:
    return [
        outcome.message.seq if isinstance(outcome, Store) else outcome.seq if isinstance(outcome, Repeat) else None
        for outcome in outcomes
    ]


def test_messages_follow_the_last_seq_in_the_order_of_the_batch() -> None:
    outcomes = plan(submission("a"), submission("b", sender=BOB), submission("c"))
    assert seqs(outcomes) == [5, 6, 7]
    assert all(isinstance(outcome, Store) for outcome in outcomes)


def test_a_stored_message_holds_what_was_sent() -> None:
    (outcome,) = plan(submission(reply_to_seq=Seq(2), mentions=(BOB,)))
    assert isinstance(outcome, Store)
    message = outcome.message
    assert (message.message_id, message.sender_id, message.created_at_ms) == (100, ALICE, NOW_MS)
    assert (message.content, message.reply_to_seq, message.mentions) == (b'{"text":"hello"}', 2, ("2",))
    assert outcome.opens is None


def test_the_first_message_opens_the_chat_and_the_second_finds_it() -> None:
    first, second = plan(submission("a", to=BOB), submission("b", to=BOB), last_seq=None)
    assert isinstance(first, Store)
    assert isinstance(second, Store)
    assert first.opens is not None
    assert set(first.opens.members) == {ALICE, BOB}
    assert second.opens is None
    assert seqs([first, second]) == [1, 2]


def test_a_resend_gets_the_first_answer_without_a_number_of_its_own() -> None:
    again = submission("a")
    outcomes = plan(again, submission("b"), known=known(again, seq=3))
    assert outcomes[0] == Repeat(seq=Seq(3), message_id=MessageId(99), created_at_ms=NOW_MS - 1000, announced=True)
    assert seqs(outcomes) == [3, 5]


def test_a_resend_whose_announcement_is_outstanding_says_so() -> None:
    again = submission("a")
    (outcome,) = plan(again, known=known(again, announced=False))
    assert isinstance(outcome, Repeat)
    assert not outcome.announced


def test_a_resend_within_the_batch_is_the_same_message() -> None:
    first, second = plan(submission("a"), submission("a"))
    assert isinstance(first, Store)
    assert second == Repeat(seq=Seq(5), message_id=MessageId(100), created_at_ms=NOW_MS, announced=True)


def test_a_resend_is_answered_although_the_sender_has_left_since() -> None:
    again = submission("a")
    outcomes = plan(again, submission("new"), known=known(again), members={ALICE: GONE, BOB: MEMBER})
    assert isinstance(outcomes[0], Repeat)
    assert isinstance(outcomes[1], Refuse)


@pytest.mark.parametrize(
    "other",
    [
        submission("a", text="other"),
        submission("a", reply_to_seq=Seq(1)),
        submission("a", mentions=(BOB,)),
        submission("a", mention_all=True),
    ],
    ids=["text", "reply", "mentions", "everybody"],
)
def test_other_content_under_the_same_id_is_refused(other: Submission) -> None:
    stored = submission("a")
    (against_stored,) = plan(other, known=known(stored))
    _, within_batch = plan(stored, other)
    assert [error_of(against_stored), error_of(within_batch)] == [ClientMsgIdConflict, ClientMsgIdConflict]


def test_the_same_id_of_another_sender_is_another_message() -> None:
    assert seqs(plan(submission("a"), submission("a", sender=BOB))) == [5, 6]


@pytest.mark.parametrize(
    ("given", "state", "expected"),
    [
        (submission(sender=CAROL), {}, ConversationNotFound),
        (submission(), {"members": {ALICE: GONE, BOB: MEMBER}}, ConversationNotFound),
        (submission(), {"members": {ALICE: MEMBER, BOB: ERASED}}, UserNotFound),
        (submission(), {"last_seq": None}, ConversationNotFound),
        (submission(to=BOB), {"last_seq": None, "alive": (ALICE,)}, UserNotFound),
        (submission(to=BOB), {"last_seq": None, "alive": (BOB,)}, UserNotFound),
        (submission(to=CAROL), {"last_seq": None}, InvalidRequest),
        (submission(reply_to_seq=Seq(5)), {}, MessageNotFound),
        (submission(reply_to_seq=Seq(4)), {"members": {ALICE: LATE, BOB: MEMBER}}, MessageNotFound),
        (submission(to=BOB, reply_to_seq=Seq(1)), {"last_seq": None}, MessageNotFound),
    ],
    ids=[
        "an outsider",
        "a member who left",
        "an erased peer",
        "no such conversation",
        "no such peer",
        "an erased sender who opens a chat",
        "a conversation that is not the peer's",
        "a reply to what isn't there",
        "a reply to what came before joining",
        "a reply in an empty chat",
    ],
)
def test_refusals(given: Submission, state: dict[str, Any], expected: type[GochatError]) -> None:
    outcomes = plan(given, submission("next", sender=BOB, text="unharmed", to=ALICE), **state)
    assert error_of(outcomes[0]) is expected
    assert not isinstance(outcomes[0], Store)


def test_a_refused_message_takes_no_number() -> None:
    assert seqs(plan(submission("a"), submission("b", sender=CAROL), submission("c"))) == [5, None, 6]


def test_a_record_that_makes_our_code_fail_is_refused_alone() -> None:
    ids = iter([100])

    def next_id() -> int:
        for one in ids:
            return one
        raise OverflowError

    first, second = plan(submission("a"), submission("b"), next_id=next_id)
    assert isinstance(first, Store)
    assert isinstance(second, Refuse)
    assert isinstance(second.error, InternalError)
    assert isinstance(second.cause, OverflowError)


def error_of(outcome: Outcome) -> type[GochatError]:
    assert isinstance(outcome, Refuse)
    return type(outcome.error)
