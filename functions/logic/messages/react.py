"""Decides whether a reaction comes or goes. Pure."""

import msgspec

from gochat_contracts.commands import AddReaction, RemoveReaction
from gochat_core.errors import InvalidRequest, MessageNotFound
from gochat_core.types import UserId
from gochat_repo.command_context import Target
from gochat_repo.reactions import MAX_EMOJI, Reaction, ReactionRow, with_reaction, without_reaction
from logic.commands.access import access_message, check_may_write
from logic.commands.ledger import Chat, Ledger
from logic.commands.outcomes import Change, Unchanged
from logic.commands.submission import Submission


def plan_add_reaction(submission: Submission, command: AddReaction, ledger: Ledger) -> Change | Unchanged:
    """Decide about one reaction; raises what forbids it. One that is there already changes nothing."""
    chat, target = _access_reactions(submission, command, ledger)
    user_id = submission.sender.user_id
    if (target.conversation_id, target.seq, command.emoji, user_id) in ledger.reacted:
        return Unchanged(target=target)
    check_may_write(ledger, submission, chat_type=chat.type)
    if len(target.reactions) >= MAX_EMOJI and all(one.emoji != command.emoji for one in target.reactions):
        raise InvalidRequest(f"A message takes {MAX_EMOJI} different emoji")
    return _change(chat, target, with_reaction(target.reactions, command.emoji, user_id), command, user_id)


def plan_remove_reaction(submission: Submission, command: RemoveReaction, ledger: Ledger) -> Change | Unchanged:
    """Decide about taking one reaction back; raises what forbids it. One that isn't there changes nothing."""
    chat, target = _access_reactions(submission, command, ledger)
    user_id = submission.sender.user_id
    if (target.conversation_id, target.seq, command.emoji, user_id) not in ledger.reacted:
        return Unchanged(target=target)
    return _change(chat, target, without_reaction(target.reactions, command.emoji, user_id), command, user_id)


def _access_reactions(
    submission: Submission, command: AddReaction | RemoveReaction, ledger: Ledger
) -> tuple[Chat, Target]:
    chat, target = access_message(ledger, submission, command.seq)
    if target.recalled_at_ms is not None:
        raise MessageNotFound("The message was recalled")
    return chat, target


def _change(
    chat: Chat,
    target: Target,
    reactions: tuple[Reaction, ...],
    command: AddReaction | RemoveReaction,
    user_id: UserId,
) -> Change:
    change = chat.change + 1
    is_removed = isinstance(command, RemoveReaction)
    held = next((one for one in reactions if one.emoji == command.emoji), Reaction(command.emoji, 0, ()))
    return Change(
        target=msgspec.structs.replace(target, reactions=reactions, change=change),
        event="reaction",
        data={
            "conversation_id": target.conversation_id,
            "seq": target.seq,
            "change": change,
            "user_id": str(user_id),
            "emoji": command.emoji,
            "action": "remove" if is_removed else "add",
            "count": held.count,
            "user_ids": [str(one) for one in held.user_ids],
        },
        reaction=ReactionRow(
            conversation_id=target.conversation_id,
            seq=target.seq,
            emoji=command.emoji,
            user_id=user_id,
            change=change,
            is_removed=is_removed,
        ),
    )
