"""Decides whether the text of a message is replaced. Pure."""

from hashlib import sha256

import msgspec

from gochat_contracts.commands import EditMessage
from gochat_core.clock import rfc3339
from gochat_core.errors import Forbidden, InvalidRequest, MessageNotFound
from gochat_repo.command_context import DIGEST_BYTES, Target
from logic.commands.access import access_message, check_may_write
from logic.commands.ledger import Ledger
from logic.commands.outcomes import Change, Unchanged
from logic.commands.submission import Submission


def plan_edit_message(
    submission: Submission, command: EditMessage, ledger: Ledger, *, now_ms: int
) -> Change | Unchanged:
    """Decide about one edit; raises what forbids it. The same text again changes nothing.

    What the message was first stays in its content hash, so that a resend of it is still known.
    """
    chat, target = access_message(ledger, submission, command.seq)
    if target.recalled_at_ms is not None:
        raise MessageNotFound("The message was recalled")
    if target.sender_id != submission.sender.user_id:
        raise Forbidden("Only the sender may edit a message")
    if target.type != "text":
        raise InvalidRequest("Only texts can be edited")
    content = bytes(command.content)
    if is_same_content(target, content):
        return Unchanged(target=target)
    # An edit says something new: to somebody who takes no messages it is none the less one.
    check_may_write(ledger, submission, chat_type=chat.type)
    change = chat.change + 1
    return Change(
        target=msgspec.structs.replace(target, content=content, edited_at_ms=now_ms, change=change),
        event="message.edited",
        data={
            "conversation_id": target.conversation_id,
            "seq": target.seq,
            "change": change,
            "sender_id": str(target.sender_id),
            "content": msgspec.Raw(content),
            "edited_at": rfc3339(now_ms),
        },
    )


def is_same_content(target: Target, content: bytes) -> bool:
    """Tell whether the message says this already, byte for byte."""
    if target.content is not None:
        return target.content == content
    return target.content_digest == sha256(content).digest()[:DIGEST_BYTES]
