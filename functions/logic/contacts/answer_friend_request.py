"""AcceptFriendRequest and RejectFriendRequest: say yes or no to what somebody asked."""

from typing import Literal

import msgspec

from gochat_core.errors import FriendRequestClosed, FriendRequestNotFound
from gochat_core.types import FriendRequestId, UserId
from gochat_repo.contact_pairs import PairState, get_pair_state, lock_pair
from gochat_repo.conversations import lock_conversations
from gochat_repo.friend_requests import FriendRequest, SeenRequest, close_request, get_request
from gochat_repo.mysql import Transaction
from gochat_repo.outbox import OutboxEntry, insert_outbox
from gochat_repo.users import User
from logic.contacts.befriend import befriend
from logic.contacts.contact_events import tell_request
from logic.contacts.ports import ContactPorts

Verdict = Literal["accepted", "rejected"]


def accept_friend_request(ports: ContactPorts, caller: UserId, request_id: FriendRequestId) -> SeenRequest:
    """Become friends with whoever asked, and open the single chat; idempotent.

    Raises `FriendRequestNotFound` for what was not sent to the caller, `FriendRequestClosed` when it was rejected or
    withdrawn, `Unavailable`. At most eleven database round trips before it is announced.
    """
    return _answer(ports, caller, request_id, "accepted")


def reject_friend_request(ports: ContactPorts, caller: UserId, request_id: FriendRequestId) -> SeenRequest:
    """Say no; idempotent. Raises as `accept_friend_request`, `FriendRequestClosed` when it was accepted."""
    return _answer(ports, caller, request_id, "rejected")


def _answer(ports: ContactPorts, caller: UserId, request_id: FriendRequestId, verdict: Verdict) -> SeenRequest:
    def work(tx: Transaction) -> tuple[SeenRequest, list[OutboxEntry]]:
        now_ms = ports.clock.now_ms()
        found = get_request(tx, request_id)
        if found is None or found.recipient_id != caller:
            raise FriendRequestNotFound
        # Who asked whom never changes, so it may be read before the lock; what became of it is read behind.
        is_open = bool(lock_conversations(tx, [found.conversation_id]))
        lock_pair(tx, caller, found.sender_id)
        state = get_pair_state(tx, caller, found.sender_id, request_id=request_id)
        request, own, other = plan_answer(state, verdict)
        seen = SeenRequest(request=request, peer=other)
        if request is state.request:
            return seen, []
        noted = [tell_request(request, own, other, number=ports.ids.next_id())]
        if verdict == "accepted":
            noted += befriend(tx, request, opens=not is_open, now_ms=now_ms)
        else:
            close_request(tx, request, now_ms=now_ms)
        insert_outbox(tx, noted, now_ms=now_ms)
        return seen, noted

    seen, noted = ports.database.transaction(work)
    ports.tell(noted)
    return seen


def plan_answer(state: PairState, verdict: Verdict) -> tuple[FriendRequest, User, User]:
    """Return the request as it stands after this answer, with the caller's and the asker's profile; raises the refusal.

    What was answered so before is returned as it is. With whoever has erased the account, the request has gone.
    """
    request = state.request
    if request is None or state.caller is None or state.peer is None:
        raise FriendRequestNotFound
    if request.status == "pending":
        request = msgspec.structs.replace(request, status=verdict)
    elif request.status != verdict:
        raise FriendRequestClosed
    return request, state.caller, state.peer
