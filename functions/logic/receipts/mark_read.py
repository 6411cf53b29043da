"""Decides how far a member has read. Pure."""

import msgspec

from gochat_contracts.commands import MarkRead
from logic.commands.access import access_conversation, participation
from logic.commands.ledger import Ledger
from logic.commands.outcomes import Mark
from logic.commands.submission import Submission


def plan_mark_read(submission: Submission, command: MarkRead, ledger: Ledger) -> Mark:
    """Move the read cursor to `seq`: never back, and beyond the end counts as the end.

    Raises `ConversationNotFound`.
    """
    chat, own = access_conversation(ledger, submission)
    read_seq = min(command.seq, chat.last_seq)
    moved = read_seq > own.read_seq
    member = msgspec.structs.replace(own, read_seq=read_seq) if moved else own
    return Mark(member=member, own=participation(chat, member), moved=moved)
