"""Logout: end the caller's login, or all of the caller's."""

from gochat_core.tokens import Identity
from gochat_repo.connections import Connection
from logic.auth.ports import AuthPorts


def logout(ports: AuthPorts, caller: Identity, *, all_devices: bool) -> list[Connection]:
    """End the login (or all) and return the connections to be closed. Idempotent."""
    now_ms = ports.clock.now_ms()
    if all_devices:
        return ports.endings.revoke_all(caller.user_id, now_ms=now_ms)
    return ports.endings.revoke(caller.user_id, [caller.session_id], now_ms=now_ms)
