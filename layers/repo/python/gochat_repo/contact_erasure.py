"""Erases what an account leaves of its contacts: requests with their words, friendships with their remarks, blocks."""

from gochat_core.types import UserId
from gochat_repo.mysql import Transaction


def erase_contacts(tx: Transaction, user_id: UserId) -> None:
    """Delete what stands between somebody and others, in the transaction that erases the account. Idempotent.

    Four statements. What others have blocked stays: nobody is shown it, and nobody it speaks of is left.
    """
    tx.execute("DELETE FROM friend_requests WHERE sender_id = %s", (user_id,))
    tx.execute("DELETE FROM friend_requests WHERE recipient_id = %s", (user_id,))
    tx.execute(
        "DELETE f FROM friendships own JOIN friendships f ON f.conversation_id = own.conversation_id"
        " WHERE own.user_id = %s",
        (user_id,),
    )
    tx.execute("DELETE FROM blocks WHERE blocker_id = %s", (user_id,))
