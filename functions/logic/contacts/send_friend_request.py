"""SendFriendRequest: ask somebody to be a friend; two who ask each other are friends."""

from dataclasses import dataclass

import msgspec

from gochat_core.errors import AlreadyFriends, Blocked, Forbidden, Unauthenticated, UserNotFound
from gochat_core.ids import single_conversation_id
from gochat_core.types import FriendRequestId, UserId
from gochat_repo.contact_pairs import PairState, get_pair_state, lock_pair
from gochat_repo.conversations import lock_conversations
from gochat_repo.friend_requests import FriendRequest, SeenRequest, insert_request
from gochat_repo.mysql import Transaction
from gochat_repo.mysql_errors import DuplicateKey, LockConflict
from gochat_repo.outbox import OutboxEntry, insert_outbox
from gochat_repo.users import User
from logic.contacts.befriend import befriend
from logic.contacts.contact_events import tell_request
from logic.contacts.ports import ContactPorts


@dataclass(frozen=True, kw_only=True, slots=True)
class SentRequest:
    """The request as the caller sees it, and whether it was made just now."""

    seen: SeenRequest
    is_new: bool


def send_friend_request(ports: ContactPorts, caller: UserId, peer: UserId, message: str | None) -> SentRequest:
    """Ask `peer`, or accept what `peer` asked; a repeat while it is pending returns the pending request.

    Raises `UserNotFound`, `Blocked`, `Forbidden`, `AlreadyFriends`, `Unavailable`. At most ten database round trips
    before it is announced.
    """
    conversation_id = single_conversation_id(caller, peer)

    def work(tx: Transaction) -> tuple[SentRequest, list[OutboxEntry]]:
        now_ms = ports.clock.now_ms()
        is_open = bool(lock_conversations(tx, [conversation_id]))
        lock_pair(tx, caller, peer)
        state = get_pair_state(tx, caller, peer)
        asked = FriendRequest(
            request_id=FriendRequestId(ports.ids.next_id()),
            sender_id=caller,
            recipient_id=peer,
            message=message,
            status="pending",
            created_at_ms=now_ms,
        )
        request, own, other = plan_friend_request(state, asked)
        sent = SentRequest(seen=SeenRequest(request=request, peer=other), is_new=request is asked)
        if request is state.request:
            return sent, []
        noted = []
        if request is asked:
            _insert(tx, asked)
        else:
            noted += befriend(tx, request, opens=not is_open, now_ms=now_ms)
        noted.append(tell_request(request, own, other, number=ports.ids.next_id()))
        insert_outbox(tx, noted, now_ms=now_ms)
        return sent, noted

    sent, noted = ports.database.transaction(work)
    ports.tell(noted)
    return sent


def plan_friend_request(state: PairState, asked: FriendRequest) -> tuple[FriendRequest, User, User]:
    """Return the request that stands after this one, with its sender's and the other's profile; raises the refusal.

    It is `asked` itself, the pending one of the same caller, or the peer's, which is accepted by it. A block is told: a
    message would be refused with the same code, so that silence here would hide nothing.
    """
    if state.caller is None:
        raise Unauthenticated
    if state.peer is None:
        raise UserNotFound
    if state.is_blocked:
        raise Blocked("This user takes no friend requests from you")
    if state.has_blocked:
        raise Forbidden("You have blocked this user; unblock first")
    if state.are_friends:
        raise AlreadyFriends
    request = state.request
    if request is None:
        request = asked
    elif request.sender_id != asked.sender_id:
        request = msgspec.structs.replace(request, status="accepted")
    return request, state.caller, state.peer


def _insert(tx: Transaction, request: FriendRequest) -> None:
    try:
        insert_request(tx, request)
    except DuplicateKey as fault:
        # Two containers drew one id in one millisecond: run again, the transaction draws another.
        raise LockConflict from fault
