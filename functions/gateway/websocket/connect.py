"""Opens a connection: registers it, then makes sure that its login still stands, then ends the one it replaces."""

from gateway.websocket.caller import Caller
from gateway.websocket.ending import SESSION_REPLACED, plan_ending
from gateway.websocket.wiring import Wiring
from gochat_contracts.records import ConnectionRef
from gochat_core.errors import Forbidden, Unauthenticated, Unavailable
from gochat_repo.connections import Connection


class Superseded(Forbidden):
    """While this connection was opening, a later one of the same device was opened."""


def open_connection(parts: Wiring, caller: Caller) -> None:
    """Open it or raise: Unauthenticated for a used ticket or a revoked login, Superseded, Unavailable.

    The order is the point. Whoever revokes a login writes that first and looks for its connections then; here the
    connection is registered first and the login checked then: of two that run at once, at least one sees the other.
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
    replaced = parts.connections.register(registered)
    if replaced is not None and replaced.connection_id == caller.connection_id:
        raise Superseded
    is_accepted = False
    try:
        _check_login(parts, caller)
        is_accepted = True
    except (Unauthenticated, Unavailable):
        # API Gateway sends no $disconnect for a handshake that was refused.
        take_back = parts.connections.withdraw if replaced is None else parts.connections.remove
        take_back(caller.user_id, caller.device_id, caller.connection_id)
        raise
    finally:
        if replaced is not None:
            _end_replaced(parts, replaced, caller, is_accepted=is_accepted)


def _check_login(parts: Wiring, caller: Caller) -> None:
    if not parts.sessions.is_active(caller.user_id, caller.session_id, now_ms=parts.clock.now_ms()):
        raise Unauthenticated


def _end_replaced(parts: Wiring, replaced: Connection, caller: Caller, *, is_accepted: bool) -> None:
    """Tell the device's former connection and close it, once the new one is usable; best effort.

    Also when the new one was refused: the former is registered no more and would hear nothing, so its client must
    connect again. Where the device has moved here from another cell, that cell's `deliver` can't ask for the new one:
    it is taken for usable if it was accepted; one that was refused is found nowhere, and the former closed without a
    word.
    """
    successor = ConnectionRef(
        connection_id=caller.connection_id, device_id=caller.device_id, connected_at_ms=caller.connected_at_ms
    )
    has_moved = replaced.cell_id != caller.cell_id
    record = plan_ending(
        SESSION_REPLACED,
        user_id=replaced.user_id,
        device_id=replaced.device_id,
        cell_id=replaced.cell_id,
        connection_id=replaced.connection_id,
        connected_at_ms=replaced.connected_at_ms,
        now_ms=parts.clock.now_ms(),
        once_usable=None if has_moved and is_accepted else successor,
    )
    try:
        parts.producer.produce([record])
    except Unavailable:
        parts.logger.warning("replaced connection not ended", extra={"connection_id": replaced.connection_id})
