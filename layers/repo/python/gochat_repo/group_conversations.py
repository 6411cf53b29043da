"""Conversations of groups: made with their first message, and moved by each later message about the group."""

from gochat_core.types import ConversationId, UserId
from gochat_repo.mysql import Transaction

# Members' rows move as with any message; whoever acted has said it, so that it is not unread to them.
_TOUCH = """
UPDATE conversation_participants
   SET activity_at_ms = GREATEST(activity_at_ms, %s), sent_seq = IF(user_id = %s, GREATEST(sent_seq, %s), sent_seq)
 WHERE conversation_id = %s AND left_seq IS NULL"""


def insert_group_conversation(tx: Transaction, conversation_id: ConversationId, *, now_ms: int) -> None:
    """Insert an empty conversation without members; its row is then locked. Raises `DuplicateKey`."""
    tx.execute(
        "INSERT INTO conversations (conversation_id, type, member_count, created_at_ms, updated_at_ms)"
        " VALUES (%s, 'group', 0, %s, %s)",
        (bytes.fromhex(conversation_id), now_ms, now_ms),
    )


def move_group_conversation(
    tx: Transaction,
    conversation_id: ConversationId,
    *,
    seq: int,
    actor_id: UserId,
    member_count: int,
    members_changed: bool,
    now_ms: int,
) -> None:
    """Move a locked conversation, and its present members, to the message that tells what was done; two statements."""
    conversation = bytes.fromhex(conversation_id)
    tx.execute(
        "UPDATE conversations SET last_seq = %s, member_count = %s, members_version = members_version + %s,"
        " updated_at_ms = GREATEST(updated_at_ms, %s) WHERE conversation_id = %s",
        (seq, member_count, int(members_changed), now_ms, conversation),
    )
    tx.execute(_TOUCH, (now_ms, actor_id, seq, conversation))
