"""Decides how far a member's devices have everything. Pure."""

import msgspec

from gochat_contracts.commands import MarkDelivered
from logic.commands.access import access_conversation, participation
from logic.commands.ledger import Ledger
from logic.commands.outcomes import Mark
from logic.commands.submission import Submission


def plan_mark_delivered(submission: Submission, command: MarkDelivered, ledger: Ledger) -> Mark:
    """Move the delivered cursor to `seq`: never back, and beyond the end counts as the end; read counts as delivered.

    Raises `ConversationNotFound`.
    """
    chat, own = access_conversation(ledger, submission)
    delivered_seq = min(command.seq, chat.last_seq)
    moved = delivered_seq > own.has_seq
    member = msgspec.structs.replace(own, delivered_seq=delivered_seq) if moved else own
    return Mark(member=member, own=participation(chat, member), moved=moved)
