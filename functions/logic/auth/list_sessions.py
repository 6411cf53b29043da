"""ListSessions: the caller's logins."""

from gochat_core.tokens import Identity
from gochat_repo.sessions import Session
from logic.auth.ports import AuthPorts


def list_sessions(ports: AuthPorts, caller: Identity) -> list[Session]:
    """Return the caller's logins that stand, last used first."""
    return ports.sessions.list_live_sessions(caller.user_id, now_ms=ports.clock.now_ms())
