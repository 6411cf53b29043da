"""Moves a member's read cursor forward."""

import msgspec

from gochat_core.errors import ConversationNotFound
from gochat_core.types import ConversationId, UserId
from gochat_repo.mysql import Database, Transaction
from gochat_repo.participants import Participation, advance_read, get_participation


def mark_read(database: Database, caller: UserId, conversation_id: ConversationId, seq: int) -> Participation:
    """Mark everything up to `seq` as read and return the cursors; never moves back, beyond the end counts as the end.

    Idempotent. Raises `ConversationNotFound`, `Unavailable`.
    """

    def work(tx: Transaction) -> Participation:
        before = get_participation(tx, conversation_id, caller)
        if before is None:
            raise ConversationNotFound
        read_seq = min(seq, before.last_seq)
        if read_seq <= before.read_seq:
            return before
        advance_read(tx, conversation_id, caller, read_seq)
        return msgspec.structs.replace(before, read_seq=read_seq)

    return database.transaction(work)
