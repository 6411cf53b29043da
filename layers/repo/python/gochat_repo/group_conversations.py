"""Conversations of groups: made with their first message, and moved by each later message about the group."""

from gochat_core.types import ConversationId, UserId
from gochat_repo.mysql import Transaction

# Members' rows move as with any message; whoever acted has said it, so that it is not unread to them.
_TOUCH = """
UPDATE conversation_participants
   SET activity_at_ms = GREATEST(activity_at_ms, %s), sent_seq = IF(user_id = %s, GREATEST(sent_seq, %s), sent_seq)
 WHERE conversation_id = %s AND left_seq IS NULL"""

_TOUCH_ACTOR = _TOUCH + " AND user_id = %s"


def insert_group_conversation(tx: Transaction, conversation_id: ConversationId, *, now_ms: int) -> None:
    """Insert an empty conversation without members; its row is then locked. Raises `DuplicateKey`."""
    tx.execute(
        "INSERT INTO conversations (conversation_id, type, member_count, created_at_ms, updated_at_ms)"
        " VALUES (%s, 'group', 0, %s, %s)",
        (bytes.fromhex(conversation_id), now_ms, now_ms),
    )


def mark_large(tx: Transaction, conversation_id: ConversationId) -> None:
    """Note in the rows of a locked conversation's present members that it is large; one statement.

    `move_group_conversation` notes it in the conversation's own row. It happens once to a group, when it has as many
    members as make it large, so that it writes about as many rows.
    """
    tx.execute(
        "UPDATE conversation_participants SET is_large = TRUE"
        " WHERE conversation_id = %s AND left_seq IS NULL AND NOT is_large",
        (bytes.fromhex(conversation_id),),
    )


def move_group_conversation(
    tx: Transaction,
    conversation_id: ConversationId,
    *,
    seq: int,
    actor_id: UserId,
    member_count: int,
    members_changed: bool,
    is_large: bool,
    now_ms: int,
) -> None:
    """Move a locked conversation to the message that tells what was done, in two statements.

    Its present members move with it, or, where it is large, the one who acted alone.
    """
    conversation = bytes.fromhex(conversation_id)
    tx.execute(
        "UPDATE conversations SET last_seq = %s, member_count = %s, members_version = members_version + %s,"
        " is_large = %s, updated_at_ms = GREATEST(updated_at_ms, %s), activity_at_ms = GREATEST(activity_at_ms, %s)"
        " WHERE conversation_id = %s",
        (seq, member_count, int(members_changed), is_large, now_ms, now_ms, conversation),
    )
    touched = (now_ms, actor_id, seq, conversation)
    if is_large:
        tx.execute(_TOUCH_ACTOR, (*touched, actor_id))
    else:
        tx.execute(_TOUCH, touched)
