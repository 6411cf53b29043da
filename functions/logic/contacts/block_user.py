"""BlockUser and UnblockUser: take no more messages and requests from somebody, or take them again."""

import msgspec

from gochat_core.errors import Unauthenticated, UserNotFound
from gochat_core.ids import single_conversation_id
from gochat_core.types import UserId
from gochat_repo.blocks import delete_block, insert_block
from gochat_repo.contact_pairs import PairState, get_pair_state, lock_pair
from gochat_repo.conversations import lock_conversations
from gochat_repo.friend_requests import close_request
from gochat_repo.friendships import delete_friendship
from gochat_repo.mysql import Transaction
from gochat_repo.outbox import OutboxEntry, insert_outbox
from logic.contacts.contact_events import tell_removal, tell_request
from logic.contacts.ports import ContactPorts


def block_user(ports: ContactPorts, caller: UserId, peer: UserId) -> None:
    """Block `peer`; idempotent. The friendship of the two ends, a pending request between them is withdrawn.

    Neither is told of the block itself, nor from now on of the other's presence. Raises `UserNotFound`, `Unavailable`.
    At most eight database round trips before what it ended is announced.
    """

    def work(tx: Transaction) -> list[OutboxEntry]:
        # A message of the peer that is being stored is stored before this, or refused after it.
        lock_conversations(tx, [single_conversation_id(caller, peer)])
        lock_pair(tx, caller, peer)
        state = get_pair_state(tx, caller, peer)
        if state.peer is None:
            raise UserNotFound
        now_ms = ports.clock.now_ms()
        noted = _part(tx, ports, state, now_ms)
        if not state.has_blocked:
            insert_block(tx, caller, peer, now_ms=now_ms)
        if noted:
            insert_outbox(tx, noted, now_ms=now_ms)
        return noted

    noted = ports.database.transaction(work)
    ports.hide_presence(caller, peer)
    ports.tell(noted)


def unblock_user(ports: ContactPorts, caller: UserId, peer: UserId) -> None:
    """Take back a block, if there is one; idempotent. What the block ended stays ended. Raises `Unavailable`."""
    ports.database.transaction(lambda tx: delete_block(tx, caller, peer))


def _part(tx: Transaction, ports: ContactPorts, state: PairState, now_ms: int) -> list[OutboxEntry]:
    """End what stands between the two, and return what is to be announced of it."""
    if state.caller is None or state.peer is None:
        raise Unauthenticated
    noted: list[OutboxEntry] = []
    if state.request is not None:
        request = msgspec.structs.replace(state.request, status="withdrawn")
        close_request(tx, request, now_ms=now_ms)
        noted.append(tell_request(request, state.caller, state.peer, number=ports.ids.next_id()))
    if state.are_friends:
        delete_friendship(tx, state.caller.user_id, state.peer.user_id)
        noted.append(tell_removal(state.caller.user_id, state.peer.user_id, number=ports.ids.next_id()))
    return noted
