"""The call that a servicer answers: its request id, its trace and, once verified, its caller."""

import secrets
from contextvars import ContextVar
from dataclasses import dataclass
from hashlib import blake2b

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
    seed: bytes | None = None
    """16 random bytes that are the same in every run of a call under its idempotency key; None without a key."""


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


def draw_id(purpose: str) -> bytes:
    """Draw the 128 random bits of what this call creates; nobody can guess them.

    A call that runs again under its idempotency key, since the first run died before its answer was stored, draws the
    same bits for the same purpose, and so creates the same thing.
    """
    seed = _CALL.get().seed
    if seed is None:
        return secrets.token_bytes(16)
    return blake2b(purpose.encode(), key=seed, digest_size=16).digest()
