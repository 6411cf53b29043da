"""Members of conversations: who belongs to one, and how far each of them has come."""

from collections.abc import Collection
from dataclasses import dataclass, field

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


class LargeConversation(msgspec.Struct, frozen=True, kw_only=True):
    """What is known of a large conversation without its members: the version of their list, and how far it is."""

    members_version: int
    last_seq: Seq


@dataclass(frozen=True, kw_only=True, slots=True)
class Audiences:
    """Whom conversations concern: of small ones all members, former ones too; of large ones nobody is named."""

    small: dict[ConversationId, dict[UserId, MemberSpan]] = field(default_factory=dict)
    large: dict[ConversationId, LargeConversation] = field(default_factory=dict)


# The members of large conversations are not even looked at.
_SMALL = """
SELECT p.conversation_id, p.user_id, p.join_seq, p.left_seq
  FROM conversations c FORCE INDEX (PRIMARY)
  STRAIGHT_JOIN conversation_participants p FORCE INDEX (PRIMARY) ON p.conversation_id = c.conversation_id
 WHERE c.conversation_id IN %s AND c.is_large = FALSE"""
_LARGE = """
SELECT c.conversation_id, NULL, c.members_version, c.last_seq
  FROM conversations c FORCE INDEX (PRIMARY) WHERE c.conversation_id IN %s AND c.is_large = TRUE"""


def get_audiences(tx: Transaction, conversation_ids: Collection[ConversationId]) -> Audiences:
    """Read whom these conversations concern, in one statement; costs as many rows as the small ones have members."""
    audiences = Audiences()
    if not conversation_ids:
        return audiences
    ids = tuple(bytes.fromhex(conversation_id) for conversation_id in conversation_ids)
    for conversation, user_id, first, second in tx.query(f"{_SMALL} UNION ALL {_LARGE}", (ids, ids)):
        conversation_id = ConversationId(conversation.hex())
        if user_id is None:
            audiences.large[conversation_id] = LargeConversation(members_version=int(first), last_seq=Seq(int(second)))
        else:
            spans = audiences.small.setdefault(conversation_id, {})
            spans[UserId(int(user_id))] = _span(first, second)
    return audiences


def _span(join_seq: int, left_seq: int | None) -> MemberSpan:
    # A column of a union may come as a decimal.
    return MemberSpan(join_seq=Seq(int(join_seq)), left_seq=None if left_seq is None else Seq(int(left_seq)))


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
