"""RemoveFriend: end a friendship for both."""

from gochat_core.ids import single_conversation_id
from gochat_core.types import UserId
from gochat_repo.conversations import lock_conversations
from gochat_repo.friendships import delete_friendship
from gochat_repo.mysql import Transaction
from gochat_repo.outbox import OutboxEntry, insert_outbox
from logic.contacts.contact_events import tell_removal
from logic.contacts.ports import ContactPorts


def remove_friend(ports: ContactPorts, caller: UserId, friend: UserId) -> None:
    """End the friendship with `friend`, if there is one; idempotent. The chat stays. Raises `Unavailable`."""

    def work(tx: Transaction) -> list[OutboxEntry]:
        # Where friends alone may write, a message that is being stored is stored before this, or refused after it.
        lock_conversations(tx, [single_conversation_id(caller, friend)])
        if not delete_friendship(tx, caller, friend):
            return []
        noted = [tell_removal(caller, friend, number=ports.ids.next_id())]
        insert_outbox(tx, noted, now_ms=ports.clock.now_ms())
        return noted

    ports.tell(ports.database.transaction(work))
