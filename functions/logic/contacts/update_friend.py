"""UpdateFriend: what the caller, and nobody else, calls a friend."""

from gochat_core.errors import FriendNotFound
from gochat_core.types import UserId
from gochat_repo.friendships import Friend, get_friend, save_remark
from gochat_repo.mysql import Transaction
from logic.contacts.ports import ContactPorts


def update_friend(ports: ContactPorts, caller: UserId, friend: UserId, *, remark: str | None) -> Friend:
    """Set the remark unless it is None (an empty one removes it) and return the friend; idempotent.

    Raises `FriendNotFound`, `Unavailable`.
    """

    def work(tx: Transaction) -> Friend:
        if remark is not None:
            save_remark(tx, caller, friend, remark or None)
        found = get_friend(tx, caller, friend, now_ms=ports.clock.now_ms())
        if found is None:
            raise FriendNotFound
        return found

    return ports.database.transaction(work)
