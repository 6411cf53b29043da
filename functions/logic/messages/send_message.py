"""Decides what becomes of a message: stored under which number, known already, or refused. Pure."""

from collections.abc import Callable
from hashlib import blake2b

from gochat_contracts.commands import SendMessage
from gochat_core.errors import (
    ClientMsgIdConflict,
    ConversationNotFound,
    InvalidRequest,
    MessageNotFound,
    UserNotFound,
)
from gochat_core.ids import single_conversation_id
from gochat_core.types import MessageId, Seq, UserId
from gochat_repo.conversations import NewSingleConversation
from gochat_repo.messages import StoredMessage
from logic.commands.access import access_conversation, check_may_write, participation
from logic.commands.ledger import Ledger
from logic.commands.outcomes import Refuse, Repeat, Store
from logic.commands.submission import Submission


def plan_send_message(
    submission: Submission, command: SendMessage, ledger: Ledger, *, next_id: Callable[[], int], now_ms: int
) -> Store | Repeat | Refuse:
    """Decide about one message; raises what forbids it.

    A resend is answered before any permission is asked: what was stored stays stored.
    """
    content_hash = hash_content(command)
    known = ledger.known.get((command.conversation_id, submission.sender.user_id, command.client_msg_id))
    if known is not None:
        if known.content_hash != content_hash:
            return Refuse(error=ClientMsgIdConflict())
        return Repeat(
            seq=known.seq, message_id=known.message_id, created_at_ms=known.created_at_ms, announced=known.announced
        )
    opens = _open_chat(submission, command, ledger)
    last_seq = 0 if opens is not None else _check_member(submission, command, ledger)
    return Store(
        opens=opens,
        message=StoredMessage(
            conversation_id=command.conversation_id,
            seq=Seq(last_seq + 1),
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


def begins_with(submission: Submission, command: SendMessage) -> tuple[UserId, ...]:
    """Name who must be known if this message has to open its chat."""
    return () if command.to is None else (submission.sender.user_id, command.to)


def _open_chat(submission: Submission, command: SendMessage, ledger: Ledger) -> NewSingleConversation | None:
    """Return the single chat that must be opened for this message; raises what forbids it."""
    sender_id = submission.sender.user_id
    if command.to is not None and command.conversation_id != single_conversation_id(sender_id, command.to):
        raise InvalidRequest("The conversation is not the one with this user")
    if command.conversation_id in ledger.chats:
        return None
    if command.to is None:
        raise ConversationNotFound
    if not {sender_id, command.to} <= ledger.people.keys():
        raise UserNotFound
    check_may_write(ledger, submission)
    if command.reply_to_seq is not None:
        raise MessageNotFound("There is no message to reply to under this seq")
    return NewSingleConversation(conversation_id=command.conversation_id, members=(sender_id, command.to))


def _check_member(submission: Submission, command: SendMessage, ledger: Ledger) -> int:
    """Raise what forbids this message in a conversation that there is, or return its last seq."""
    chat, own = access_conversation(ledger, submission)
    if chat.type == "single" and not all(member.is_alive for member in chat.members.values()):
        raise UserNotFound
    check_may_write(ledger, submission, chat_type=chat.type)
    floor_seq = participation(chat, own).floor_seq
    if command.reply_to_seq is not None and not floor_seq < command.reply_to_seq <= chat.last_seq:
        raise MessageNotFound("There is no message to reply to under this seq")
    return chat.last_seq


def hash_content(command: SendMessage) -> bytes:
    """Return 128 bits over all that the sender wrote, to tell a resend from another message under the same id."""
    mentions = "all" if command.mention_all else command.mentions
    # repr() keeps the parts apart: no type or mention can look like the beginning of the content.
    digest = blake2b(repr((command.type, command.reply_to_seq, mentions)).encode(), digest_size=16)
    digest.update(command.content)
    return digest.digest()
