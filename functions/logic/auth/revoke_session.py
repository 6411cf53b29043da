"""RevokeSession: end one of the caller's logins."""

from gochat_core.errors import SessionNotFound
from gochat_core.tokens import Identity
from gochat_core.types import SessionId
from gochat_repo.connections import Connection
from gochat_repo.sessions import Session
from logic.auth.ports import AuthPorts

_MAX_ID = (1 << 63) - 1


def revoke_session(ports: AuthPorts, caller: Identity, session_id: str) -> list[Connection]:
    """End one login and return its connections; raises `SessionNotFound` for one that is not the caller's.

    Idempotent: a login that has ended already is ended again, so that a lost answer can be asked for once more.
    """
    found = access_session(caller, ports.sessions.find_session(parse_session_id(session_id)))
    return ports.endings.revoke(caller.user_id, [found.session_id], now_ms=ports.clock.now_ms())


def access_session(caller: Identity, session: Session | None) -> Session:
    """Return a login to whose it is; somebody else's looks like none at all."""
    if session is None or session.user_id != caller.user_id:
        raise SessionNotFound
    return session


def parse_session_id(text: str) -> SessionId:
    """Read a session id that came from a client; whatever can't be one is a session that does not exist."""
    if not (text.isascii() and text.isdigit() and len(text) <= 19 and int(text) <= _MAX_ID):
        raise SessionNotFound
    return SessionId(int(text))
