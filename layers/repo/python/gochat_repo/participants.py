"""Members of conversations: who belongs to one, and how far each of them has come."""

from collections.abc import Collection

import msgspec

from gochat_core.types import ConversationId, Seq, UserId
from gochat_repo.mysql import Transaction


class MemberSpan(msgspec.Struct, frozen=True, kw_only=True):
    """From which seq somebody is a member, and until which."""

    join_seq: Seq
    left_seq: Seq | None

    def contains(self, seq: Seq) -> bool:
        """Whether the message with this seq is meant for this member."""
        return self.join_seq <= seq and (self.left_seq is None or self.left_seq > seq)


class Participation(msgspec.Struct, frozen=True, kw_only=True):
    """One member's own cursors in a conversation, beside the conversation's `last_seq`."""

    last_seq: Seq
    join_seq: Seq
    read_seq: int
    sent_seq: int
    cleared_seq: int
    expired_seq: int = 0

    @property
    def floor_seq(self) -> int:
        """The member sees messages above this seq only: since joining, since clearing, and not past their retention."""
        return max(self.join_seq - 1, self.cleared_seq, self.expired_seq)

    @property
    def seen_seq(self) -> int:
        """Up to which seq nothing is unread: what was read, what one sent oneself, and what one can't see."""
        return max(self.floor_seq, self.read_seq, self.sent_seq)

    @property
    def unread_count(self) -> int:
        """How many messages are unread; computed, never counted up, so it can't drift."""
        return max(0, self.last_seq - self.seen_seq)


def list_members(
    tx: Transaction, conversation_ids: Collection[ConversationId]
) -> dict[ConversationId, dict[UserId, MemberSpan]]:
    """Read who belongs, or belonged, to small conversations, in one statement."""
    if not conversation_ids:
        return {}
    rows = tx.query(
        "SELECT conversation_id, user_id, join_seq, left_seq FROM conversation_participants"
        " WHERE conversation_id IN %s",
        (tuple(bytes.fromhex(conversation_id) for conversation_id in conversation_ids),),
    )
    members: dict[ConversationId, dict[UserId, MemberSpan]] = {}
    for conversation, user_id, join_seq, left_seq in rows:
        spans = members.setdefault(ConversationId(conversation.hex()), {})
        spans[user_id] = MemberSpan(join_seq=join_seq, left_seq=left_seq)
    return members


def get_participation(tx: Transaction, conversation_id: ConversationId, user_id: UserId) -> Participation | None:
    """Read a member's cursors; None for whoever is not, or no longer, a member."""
    rows = tx.query(
        "SELECT c.last_seq, p.join_seq, p.read_seq, p.sent_seq, p.cleared_seq, c.expired_seq"
        " FROM conversation_participants p JOIN conversations c ON c.conversation_id = p.conversation_id"
        " WHERE p.conversation_id = %s AND p.user_id = %s AND p.left_seq IS NULL",
        (bytes.fromhex(conversation_id), user_id),
    )
    if not rows:
        return None
    last_seq, join_seq, read_seq, sent_seq, cleared_seq, expired_seq = rows[0]
    return Participation(
        last_seq=last_seq,
        join_seq=join_seq,
        read_seq=read_seq,
        sent_seq=sent_seq,
        cleared_seq=cleared_seq,
        expired_seq=expired_seq,
    )
