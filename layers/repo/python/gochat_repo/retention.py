"""Message retention: empties messages past it and moves their conversation's floor; rows stay, for once-only."""

from dataclasses import dataclass

from gochat_core.types import ConversationId, Seq
from gochat_repo.mysql import Database, Transaction
from gochat_repo.sweep_positions import SweepPosition, get_position, save_position

SWEEP = "retention"

PAGE = 500
"""Conversations that are looked at in one statement; each costs one look-up of a row by its key."""

EMPTIED_AT_ONCE = 200
"""Messages that one transaction empties: senders of the conversation wait for it."""

# Numbers have no gaps, so the first message that has not expired is the one after expired_seq.
_DUE = (
    "SELECT c.conversation_id, m.created_at_ms FROM"
    " (SELECT conversation_id, expired_seq, last_seq FROM conversations WHERE conversation_id > %s"
    " ORDER BY conversation_id LIMIT %s) c"
    " LEFT JOIN messages m ON m.conversation_id = c.conversation_id AND m.seq = c.expired_seq + 1"
    " ORDER BY c.conversation_id"
)
_LOCK = "SELECT expired_seq, is_large FROM conversations WHERE conversation_id = %s FOR UPDATE"
_OLDEST = "SELECT seq, created_at_ms FROM messages WHERE conversation_id = %s AND seq > %s ORDER BY seq LIMIT %s"
_EMPTY = (
    "UPDATE messages SET content = '{}', mentions = NULL, reactions = NULL"
    " WHERE conversation_id = %s AND seq > %s AND seq <= %s"
)
_DROP_REACTIONS = "DELETE FROM message_reactions WHERE conversation_id = %s AND seq > %s AND seq <= %s"
_MOVE_FLOOR = "UPDATE conversations SET expired_seq = %s WHERE conversation_id = %s"
_TELL_LARGE = "UPDATE conversations SET updated_at_ms = GREATEST(updated_at_ms, %s) WHERE conversation_id = %s"
_TELL_MEMBERS = (
    "UPDATE conversation_participants SET changed_at_ms = GREATEST(changed_at_ms, %s)"
    " WHERE conversation_id = %s AND left_seq IS NULL"
)


@dataclass(frozen=True, kw_only=True)
class DuePage:
    """Conversations with something to expire, and where the next page begins; None: the round is over."""

    conversation_ids: tuple[ConversationId, ...]
    next_position: bytes | None


class Retention:
    """The store that forgets."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def get_position(self) -> SweepPosition | None:
        """Return how far the sweep got; None before its first round."""
        return self._database.read(lambda tx: get_position(tx, SWEEP))

    def save_position(self, position: SweepPosition) -> None:
        """Write how far the sweep got."""
        self._database.transaction(lambda tx: save_position(tx, SWEEP, position))

    def find_due(self, *, after: bytes, created_before_ms: int) -> DuePage:
        """Look at the next page of conversations, in the order of their ids; one statement."""
        rows = self._database.read(lambda tx: tx.query(_DUE, (after, PAGE)))
        due = tuple(ConversationId(row[0].hex()) for row in rows if row[1] is not None and row[1] < created_before_ms)
        return DuePage(conversation_ids=due, next_position=rows[-1][0] if len(rows) == PAGE else None)

    def expire(self, conversation_id: ConversationId, *, created_before_ms: int, now_ms: int) -> int:
        """Empty a conversation's oldest messages that are past retention; return how many, at most EMPTIED_AT_ONCE.

        Under the conversation's lock, so that a mutation comes before, and is emptied, or after, and finds nothing. A
        repeat goes on where the floor stands. Members' `changed_at_ms` moves, of a large group its own time: what they
        count as unread may have. A cached copy of a message ends by itself within a minute, and history never shows
        what lies below the floor.
        """
        key = bytes.fromhex(conversation_id)

        def work(tx: Transaction) -> int:
            held = tx.query(_LOCK, (key,))
            floor_seq: Seq = held[0][0]
            is_large = bool(held[0][1])
            expired: list[Seq] = []
            for seq, created_at_ms in tx.query(_OLDEST, (key, floor_seq, EMPTIED_AT_ONCE)):
                if created_at_ms >= created_before_ms:
                    break
                expired.append(seq)
            if not expired:
                return 0
            tx.execute(_EMPTY, (key, floor_seq, expired[-1]))
            tx.execute(_DROP_REACTIONS, (key, floor_seq, expired[-1]))
            tx.execute(_MOVE_FLOOR, (expired[-1], key))
            tx.execute(_TELL_LARGE if is_large else _TELL_MEMBERS, (now_ms, key))
            return len(expired)

        return self._database.transaction(work)
