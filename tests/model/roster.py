"""Makes groups and changes who is in them, under the conversation's lock, as the use cases of groups do."""

from collections.abc import Sequence

from gochat_core.types import ConversationId
from gochat_repo.conversations import lock_conversations
from gochat_repo.group_conversations import mark_large
from gochat_repo.mysql import Database, Transaction


class Roster:
    """Writes membership where the product reads it; nothing else writes it before groups have doors of their own."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def create(self, chat_id: str, users: Sequence[str], *, now_ms: int) -> None:
        """Make a group with these members."""

        def work(tx: Transaction) -> None:
            tx.execute(
                "INSERT INTO conversations (conversation_id, type, member_count, created_at_ms,"
                " updated_at_ms, activity_at_ms) VALUES (%s, 'group', %s, %s, %s, %s)",
                (bytes.fromhex(chat_id), len(users), now_ms, now_ms, now_ms),
            )
            tx.execute_rows(
                "INSERT INTO conversation_participants (conversation_id, user_id, activity_at_ms) VALUES",
                [(bytes.fromhex(chat_id), int(user), now_ms) for user in users],
            )

        self._database.transaction(work)

    def grow(self, chat_id: str) -> None:
        """Make the group large, as the join does that brings it so many members."""

        def work(tx: Transaction) -> None:
            lock_conversations(tx, {ConversationId(chat_id)})
            tx.execute("UPDATE conversations SET is_large = TRUE WHERE conversation_id = %s", (bytes.fromhex(chat_id),))
            mark_large(tx, ConversationId(chat_id))

        self._database.transaction(work)

    def join(self, chat_id: str, user: str, *, now_ms: int) -> None:
        """Let somebody see what comes from now on."""

        def work(tx: Transaction) -> None:
            held = lock_conversations(tx, {ConversationId(chat_id)})[ConversationId(chat_id)]
            tx.execute(
                "INSERT INTO conversation_participants (conversation_id, user_id, join_seq, activity_at_ms,"
                " changed_at_ms, is_large) VALUES (%s, %s, %s, %s, %s, %s) ON DUPLICATE KEY UPDATE"
                " join_seq = IF(left_seq IS NULL, join_seq, VALUES(join_seq)), hidden_seq = NULL, left_seq = NULL,"
                " activity_at_ms = VALUES(activity_at_ms), changed_at_ms = VALUES(changed_at_ms),"
                " is_large = VALUES(is_large)",
                (bytes.fromhex(chat_id), int(user), held.last_seq + 1, now_ms, now_ms, held.is_large),
            )
            _count_change(tx, chat_id)

        self._database.transaction(work)

    def leave(self, chat_id: str, user: str, *, now_ms: int) -> None:
        """Let somebody see nothing that comes from now on, and find the conversation no more."""

        def work(tx: Transaction) -> None:
            last_seq = lock_conversations(tx, {ConversationId(chat_id)})[ConversationId(chat_id)].last_seq
            tx.execute(
                "UPDATE conversation_participants SET left_seq = %s, changed_at_ms = %s, is_large = FALSE"
                " WHERE conversation_id = %s AND user_id = %s AND left_seq IS NULL",
                (last_seq + 1, now_ms, bytes.fromhex(chat_id), int(user)),
            )
            _count_change(tx, chat_id)

        self._database.transaction(work)


def _count_change(tx: Transaction, chat_id: str) -> None:
    tx.execute(
        "UPDATE conversations SET members_version = members_version + 1 WHERE conversation_id = %s",
        (bytes.fromhex(chat_id),),
    )
