"""Opens a connection: ends the one it replaces, registers it, then makes sure that its login still stands."""

from gateway.websocket.caller import Caller
from gateway.websocket.ending import SESSION_REPLACED, plan_ending
from gateway.websocket.wiring import Wiring
from gochat_aws.kafka_producer import OutgoingRecord
from gochat_contracts.records import ConnectionRef
from gochat_core.errors import Forbidden, Unauthenticated, Unavailable
from gochat_repo.connections import Connection


class Superseded(Forbidden):
    """While this connection was opening, a later one of the same device was opened."""


def open_connection(parts: Wiring, caller: Caller) -> None:
    """Open it or raise: Unauthenticated for a used ticket or a revoked login, Superseded, Unavailable.

    The order is the point. Whoever revokes a login writes that first and looks for its connections then; here the
    connection is registered first and the login checked then: of two that run at once, at least one sees the other.
    And before the device's former connection loses its place, its end is in the topic: were this container to die in
    between, it would stay open and hear nothing. The end waits until the new connection is usable; if it never is, the
    former is closed all the same, and its client connects again.
    """
    if caller.ticket_id is not None and not parts.tickets.use(
        caller.ticket_id, expires_at_ms=caller.ticket_expires_at_ms, now_ms=parts.clock.now_ms()
    ):
        raise Unauthenticated
    registered = Connection(
        user_id=caller.user_id,
        device_id=caller.device_id,
        session_id=caller.session_id,
        cell_id=caller.cell_id,
        connection_id=caller.connection_id,
        connected_at_ms=caller.connected_at_ms,
    )
    former = None
    while (in_the_way := parts.connections.register(registered, replacing=former)) is not None:
        if in_the_way.connected_at_ms > caller.connected_at_ms:
            raise Superseded
        former = in_the_way
        parts.producer.produce([_plan_end(parts, former, caller)])
    try:
        _check_login(parts, caller)
    except (Unauthenticated, Unavailable):
        # API Gateway sends no $disconnect for a handshake that was refused.
        take_back = parts.connections.withdraw if former is None else parts.connections.remove
        take_back(caller.user_id, caller.device_id, caller.connection_id)
        raise


def _check_login(parts: Wiring, caller: Caller) -> None:
    if not parts.sessions.is_active(caller.user_id, caller.session_id, now_ms=parts.clock.now_ms()):
        raise Unauthenticated


def _plan_end(parts: Wiring, replaced: Connection, caller: Caller) -> OutgoingRecord:
    """Return the record that tells the device's former connection and closes it, once the new one is usable.

    At once where the device has moved here from another cell, whose `deliver` can't ask for the new one.
    """
    successor = ConnectionRef(
        connection_id=caller.connection_id, device_id=caller.device_id, connected_at_ms=caller.connected_at_ms
    )
    return plan_ending(
        SESSION_REPLACED,
        user_id=replaced.user_id,
        device_id=replaced.device_id,
        cell_id=replaced.cell_id,
        connection_id=replaced.connection_id,
        connected_at_ms=replaced.connected_at_ms,
        now_ms=parts.clock.now_ms(),
        once_usable=successor if replaced.cell_id == caller.cell_id else None,
    )
