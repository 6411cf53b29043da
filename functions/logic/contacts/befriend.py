"""Makes two users friends: the accepted request, the friendship and their single chat, in one transaction."""

from gochat_repo.conversations import NewSingleConversation, insert_single_conversations
from gochat_repo.friend_requests import FriendRequest, close_request
from gochat_repo.friendships import insert_friendship
from gochat_repo.list_preferences import unhide
from gochat_repo.mysql import Transaction
from gochat_repo.outbox import OutboxEntry


def befriend(tx: Transaction, request: FriendRequest, *, opens: bool, now_ms: int) -> list[OutboxEntry]:
    """Write an accepted request with all that follows, and return what is to be announced of the chat.

    One that there is already and that either of the two has hidden is shown again. The conversation (unless it `opens`
    now) and the pair are locked; the two are not friends.
    """
    close_request(tx, request, now_ms=now_ms)
    insert_friendship(tx, request.sender_id, request.recipient_id, now_ms=now_ms)
    members = (request.sender_id, request.recipient_id)
    if not opens:
        return [
            OutboxEntry(conversation_id=request.conversation_id, kind="entry", number=user_id)
            for user_id in members
            if unhide(tx, request.conversation_id, user_id, now_ms=now_ms)
        ]
    opened = NewSingleConversation(conversation_id=request.conversation_id, members=members)
    insert_single_conversations(tx, [opened], now_ms=now_ms)
    return [OutboxEntry(conversation_id=request.conversation_id, kind="created", number=0)]
