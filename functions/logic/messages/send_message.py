"""Decides what becomes of each message of a batch: stored under which number, known already, or refused. Pure."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from hashlib import blake2b

import msgspec

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
from gochat_core.types import ConversationId, MessageId, Seq, UserId
from gochat_repo.conversations import LockedConversation, NewSingleConversation
from gochat_repo.messages import KnownMessage, Membership, MessageKey, SendContext, StoredMessage


class Submission(msgspec.Struct, frozen=True, kw_only=True):
    """One message that somebody wants to send, whichever door it came through."""

    sender: Sender
    command: SendMessage
    accepted_at_ms: int
    trace: str | None = None

    @property
    def key(self) -> MessageKey:
        """What makes a resend the same message."""
        return (self.command.conversation_id, self.sender.user_id, self.command.client_msg_id)


class Store(msgspec.Struct, frozen=True, kw_only=True):
    """The message is new and gets this place; `opens` is the single chat that begins with it."""

    message: StoredMessage
    opens: NewSingleConversation | None = None


class Repeat(msgspec.Struct, frozen=True, kw_only=True):
    """The message was stored before: the first answer is given again."""

    seq: Seq
    message_id: MessageId
    created_at_ms: int
    announced: bool


class Refuse(msgspec.Struct, frozen=True, kw_only=True):
    """The message will never be stored. `cause` is a fault of ours that the logs should show."""

    error: GochatError
    cause: Exception | None = None


Outcome = Store | Repeat | Refuse


class SendView(msgspec.Struct, frozen=True, kw_only=True):
    """What is known when it is one message's turn; `last_seq` is None where the conversation has no row."""

    known: KnownMessage | None
    last_seq: int | None
    members: Mapping[UserId, Membership]
    type: str
    alive: frozenset[UserId]


@dataclass(slots=True)
class _Ledger:
    """The state of the fold: what the messages before this one have changed."""

    known: dict[MessageKey, KnownMessage]
    last_seqs: dict[ConversationId, int]
    types: dict[ConversationId, str]
    members: dict[ConversationId, dict[UserId, Membership]]
    alive: frozenset[UserId] = field(default_factory=frozenset)

    def view(self, submission: Submission) -> SendView:
        conversation_id = submission.command.conversation_id
        return SendView(
            known=self.known.get(submission.key),
            last_seq=self.last_seqs.get(conversation_id),
            members=self.members.get(conversation_id, {}),
            type=self.types.get(conversation_id, "single"),
            alive=self.alive,
        )

    def note(self, store: Store) -> None:
        message = store.message
        self.last_seqs[message.conversation_id] = message.seq
        if store.opens is not None:
            newcomer = Membership(join_seq=Seq(1), left_seq=None, is_alive=True)
            self.members[message.conversation_id] = dict.fromkeys(store.opens.members, newcomer)
        self.known[(message.conversation_id, message.sender_id, message.client_msg_id)] = KnownMessage(
            seq=message.seq,
            message_id=message.message_id,
            content_hash=message.content_hash,
            created_at_ms=message.created_at_ms,
            announced=True,  # by this very batch
        )


def plan_send_messages(
    submissions: Sequence[Submission],
    locked: Mapping[ConversationId, LockedConversation],
    context: SendContext,
    *,
    next_id: Callable[[], int],
    now_ms: int,
) -> list[Outcome]:
    """Fold `plan_send_message` over a batch in its order; one outcome for each submission.

    A submission that makes our own code fail is refused alone: it must not hold up its batch for ever.
    """
    ledger = _Ledger(
        known=dict(context.known),
        last_seqs={one.conversation_id: one.last_seq for one in locked.values()},
        types={one.conversation_id: one.type for one in locked.values()},
        members=dict(context.members),
        alive=context.alive,
    )
    outcomes: list[Outcome] = []
    for submission in submissions:
        try:
            outcome = plan_send_message(submission, ledger.view(submission), next_id=next_id, now_ms=now_ms)
        except Exception as fault:  # noqa: BLE001 - the per-record boundary
            outcome = Refuse(error=InternalError(), cause=fault)
        if isinstance(outcome, Store):
            ledger.note(outcome)
        outcomes.append(outcome)
    return outcomes


def plan_send_message(submission: Submission, view: SendView, *, next_id: Callable[[], int], now_ms: int) -> Outcome:
    """Decide about one message. A resend is answered before any permission is asked: what was stored stays stored."""
    content_hash = hash_content(submission.command)
    if view.known is not None:
        if view.known.content_hash != content_hash:
            return Refuse(error=ClientMsgIdConflict())
        return Repeat(
            seq=view.known.seq,
            message_id=view.known.message_id,
            created_at_ms=view.known.created_at_ms,
            announced=view.known.announced,
        )
    try:
        opens = _check_permission(submission, view)
    except GochatError as error:
        return Refuse(error=error)
    command = submission.command
    return Store(
        opens=opens,
        message=StoredMessage(
            conversation_id=command.conversation_id,
            seq=Seq((view.last_seq or 0) + 1),
            message_id=MessageId(next_id()),
            sender_id=submission.sender.user_id,
            client_msg_id=command.client_msg_id,
            content_hash=content_hash,
            type=command.type,
            content=bytes(command.content),
            reply_to_seq=command.reply_to_seq,
            mentions=("all",) if command.mention_all else tuple(str(user_id) for user_id in command.mentions),
            created_at_ms=now_ms,
        ),
    )


def _check_permission(submission: Submission, view: SendView) -> NewSingleConversation | None:
    """Raise what forbids this message, or return the single chat that must be opened for it."""
    sender_id, command = submission.sender.user_id, submission.command
    if command.to is not None and command.conversation_id != single_conversation_id(sender_id, command.to):
        raise InvalidRequest("The conversation is not the one with this user")
    opens = None
    if view.last_seq is None:
        if command.to is None:
            raise ConversationNotFound
        if not {sender_id, command.to} <= view.alive:
            raise UserNotFound
        opens = NewSingleConversation(conversation_id=command.conversation_id, members=(sender_id, command.to))
    else:
        own = view.members.get(sender_id)
        if own is None or own.left_seq is not None:
            raise ConversationNotFound
        if view.type == "single" and not all(member.is_alive for member in view.members.values()):
            raise UserNotFound
    if command.reply_to_seq is not None:
        first = view.members[sender_id].join_seq if opens is None else 1
        if not first <= command.reply_to_seq <= (view.last_seq or 0):
            raise MessageNotFound("There is no message to reply to under this seq")
    return opens


def hash_content(command: SendMessage) -> bytes:
    """Return 128 bits over all that the sender wrote, to tell a resend from another message under the same id."""
    mentions = "all" if command.mention_all else command.mentions
    # repr() keeps the parts apart: no type or mention can look like the beginning of the content.
    digest = blake2b(repr((command.type, command.reply_to_seq, mentions)).encode(), digest_size=16)
    digest.update(command.content)
    return digest.digest()
