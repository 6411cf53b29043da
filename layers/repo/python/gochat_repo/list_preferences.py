"""What a member does to its own list of conversations: mutes, pins, hides; nobody else sees any of it."""

from gochat_core.types import ConversationId, UserId
from gochat_repo.mysql import Transaction

_PREFER = """
UPDATE conversation_participants
   SET muted = COALESCE(%s, muted), pinned = COALESCE(%s, pinned), changed_at_ms = GREATEST(changed_at_ms, %s)
 WHERE conversation_id = %s AND user_id = %s AND left_seq IS NULL
   AND (muted <> COALESCE(%s, muted) OR pinned <> COALESCE(%s, pinned))
"""

_HIDE = """
UPDATE conversation_participants p JOIN conversations c ON c.conversation_id = p.conversation_id
   SET p.hidden_seq = c.last_seq, p.cleared_seq = c.last_seq,
       p.cleared_at_ms = GREATEST(p.cleared_at_ms, %s), p.changed_at_ms = GREATEST(p.changed_at_ms, %s)
 WHERE p.conversation_id = %s AND p.user_id = %s AND p.left_seq IS NULL
   AND NOT (p.hidden_seq <=> c.last_seq AND p.cleared_seq = c.last_seq)
"""

_UNHIDE = """
UPDATE conversation_participants SET hidden_seq = NULL, changed_at_ms = GREATEST(changed_at_ms, %s)
 WHERE conversation_id = %s AND user_id = %s AND left_seq IS NULL AND hidden_seq IS NOT NULL
"""


def prefer(
    tx: Transaction,
    conversation_id: ConversationId,
    user_id: UserId,
    *,
    is_muted: bool | None,
    is_pinned: bool | None,
    now_ms: int,
) -> bool:
    """Mute or pin, None leaves as it is; returns whether anything changed. Locks the member's row alone."""
    place = (bytes.fromhex(conversation_id), user_id)
    return tx.execute(_PREFER, (is_muted, is_pinned, now_ms, *place, is_muted, is_pinned)) > 0


def hide(tx: Transaction, conversation_id: ConversationId, user_id: UserId, *, now_ms: int) -> bool:
    """Hide until the next message and clear what there is; returns whether anything changed.

    The conversation's row must be locked, so that "what there is" is the same for whoever stores a message meanwhile.
    """
    return tx.execute(_HIDE, (now_ms, now_ms, bytes.fromhex(conversation_id), user_id)) > 0


def unhide(tx: Transaction, conversation_id: ConversationId, user_id: UserId, *, now_ms: int) -> bool:
    """Show again what was hidden; what was cleared stays cleared. Returns whether anything changed."""
    return tx.execute(_UNHIDE, (now_ms, bytes.fromhex(conversation_id), user_id)) > 0
