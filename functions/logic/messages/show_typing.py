"""Decides who is shown that somebody is writing. Pure."""

from gochat_contracts.records import TYPING_LIFETIME_MS
from gochat_core.errors import ConversationNotFound
from logic.commands.access import check_may_speak, others
from logic.commands.ledger import Ledger
from logic.commands.outcomes import Show
from logic.commands.submission import Submission


def plan_show_typing(submission: Submission, ledger: Ledger) -> Show:
    """Return whom to tell: the other members, nobody in a large group or across a block.

    Raises `ConversationNotFound` for outsiders, and what forbids to speak in a group. The conversation isn't locked:
    whoever joins or leaves in this instant may be told or not.
    """
    conversation_id, user_id = submission.conversation_id, submission.sender.user_id
    chat = ledger.chats.get(conversation_id)
    members = chat.members if chat is not None else ledger.watched.get(conversation_id, {})
    present = tuple(one for one, held in members.items() if held.left_seq is None)
    if user_id not in present:
        raise ConversationNotFound
    is_told = not ledger.blockers.get(conversation_id)
    if (rules := ledger.groups.get(conversation_id)) is not None:
        check_may_speak(members[user_id], rules, at_ms=submission.accepted_at_ms)
        is_told = not rules.is_large
    return Show(
        user_ids=others(present, user_id) if is_told else (),
        expires_at_ms=submission.accepted_at_ms + TYPING_LIFETIME_MS,
    )
