"""Who speaks on a connection, as the authorizer verified it: never anything that stands in a frame."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from gochat_contracts.records import Sender
from gochat_core.types import CellId, ConnectionId, DeviceId, SessionId, UserId


@dataclass(frozen=True, kw_only=True)
class Caller:
    """One connection and its verified owner."""

    user_id: UserId
    device_id: DeviceId
    session_id: SessionId
    cell_id: CellId
    connection_id: ConnectionId
    connected_at_ms: int
    ticket_id: str | None
    ticket_expires_at_ms: int

    def sender(self) -> Sender:
        """Return the caller as records name it."""
        return Sender(
            user_id=self.user_id,
            device_id=self.device_id,
            session_id=self.session_id,
            connection_id=self.connection_id,
            cell_id=self.cell_id,
        )


def read_caller(request_context: Mapping[str, Any], cell_id: CellId) -> Caller:
    """Read the context of a WebSocket API's event, which carries what the authorizer returned at `$connect`."""
    authorizer = request_context["authorizer"]
    return Caller(
        user_id=UserId(int(authorizer["user_id"])),
        device_id=DeviceId(authorizer["device_id"]),
        session_id=SessionId(int(authorizer["session_id"])),
        cell_id=cell_id,
        connection_id=ConnectionId(request_context["connectionId"]),
        connected_at_ms=int(request_context["connectedAt"]),
        ticket_id=authorizer.get("ticket_id"),
        ticket_expires_at_ms=int(authorizer["expires_at_ms"]),
    )
