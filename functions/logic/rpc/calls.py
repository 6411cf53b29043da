"""The call that a servicer answers: its request id, its trace and, once verified, its caller."""

from contextvars import ContextVar
from dataclasses import dataclass

from gochat_core.errors import Unauthenticated
from gochat_core.tokens import Identity
from gochat_core.tracing import Trace


@dataclass(kw_only=True)
class Call:
    """What the boundary knows of the call that this thread answers."""

    method: str
    request_id: str
    trace: Trace
    identity: Identity | None = None
    outcome: str = "ok"
    """What the log line and the metric call a call that was answered; a servicer may say more than `ok`."""


_CALL: ContextVar[Call] = ContextVar("call")

begin_call = _CALL.set


def current_call() -> Call:
    """Return the call that this thread answers."""
    return _CALL.get()


def caller() -> Identity:
    """Return who calls; raises `Unauthenticated` in an open method, where nobody was asked for a token."""
    identity = _CALL.get().identity
    if identity is None:
        raise Unauthenticated
    return identity
