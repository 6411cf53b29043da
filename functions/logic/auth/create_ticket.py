"""CreateTicket: a single-use ticket for WebSocket clients that can set neither header nor subprotocol."""

from gochat_core.tokens import Identity
from logic.auth.ports import AuthPorts


def create_ticket(ports: AuthPorts, caller: Identity) -> str:
    """Return a ticket for the caller's session and device; `$connect` sees to it that it opens one connection."""
    return ports.signer().ticket(caller.user_id, caller.device_id, caller.session_id, issued_at_ms=ports.clock.now_ms())
