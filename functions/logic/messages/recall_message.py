"""Decides whether a message is taken back. Pure."""

import msgspec

from gochat_contracts.commands import RecallMessage
from gochat_core.clock import rfc3339
from gochat_core.errors import Forbidden
from gochat_core.types import UserId
from gochat_repo.command_context import Target
from logic.commands.access import access_message
from logic.commands.ledger import Chat, Ledger
from logic.commands.outcomes import Change, Unchanged
from logic.commands.submission import Submission
from logic.groups.permissions import Action, Role, check_on_member

RECALL_WINDOW_MS = 120_000
"""How long a sender may take a message back (protocol: within 2 min), by when the frame was accepted."""


def plan_recall_message(
    submission: Submission, command: RecallMessage, ledger: Ledger, *, now_ms: int
) -> Change | Unchanged:
    """Decide about one recall; raises what forbids it. What is recalled already stays so."""
    chat, target = access_message(ledger, submission, command.seq)
    check_may_recall(submission, chat, target)
    if target.recalled_at_ms is not None:
        return Unchanged(target=target)
    change = chat.change + 1
    return Change(
        target=msgspec.structs.replace(target, content=b"{}", reactions=(), recalled_at_ms=now_ms, change=change),
        event="message.recalled",
        data={
            "conversation_id": target.conversation_id,
            "seq": target.seq,
            "change": change,
            "sender_id": str(target.sender_id),
            "recalled_at": rfc3339(now_ms),
        },
    )


def check_may_recall(submission: Submission, chat: Chat, target: Target) -> None:
    """Raise `Forbidden` unless the message is the caller's own and young, or recalled already, or the caller's role in
    the group allows it at any time. What happened to a group stands in its history for good.
    """
    if target.type == "system":
        raise Forbidden("What happened to a group can't be recalled")
    if target.sender_id != submission.sender.user_id:
        if chat.type == "single":
            raise Forbidden("Only the sender may recall a message")
        check_on_member(_role(chat, submission.sender.user_id), Action.RECALL, _role(chat, target.sender_id))
        return
    age_ms = submission.accepted_at_ms - target.created_at_ms
    if target.recalled_at_ms is None and age_ms > RECALL_WINDOW_MS:
        raise Forbidden("A message can be recalled for two minutes")


def _role(chat: Chat, user_id: UserId) -> Role:
    """Return what somebody is in a group; who has left, or was never in it, counts as a member."""
    held = chat.members.get(user_id)
    return Role.MEMBER if held is None or held.role is None else Role(held.role)
