"""RefreshSession: rotate a refresh token, give a lost answer again, and end the login of a token that is used twice."""

from dataclasses import dataclass
from enum import Enum
from hashlib import sha256

from gochat_core.errors import Unauthenticated, UserNotFound
from gochat_core.token_signing import parse_refresh_token
from gochat_repo.connections import Connection
from gochat_repo.sessions import Rotation, Session
from gochat_repo.users import User
from logic.auth.ports import SESSION_LIFETIME_MS, AuthPorts
from logic.auth.token_pair import TokenPair, make_pair

REPEAT_WINDOW_MS = 60_000
"""How long the pair of a rotation is given again to who shows the same Idempotency-Key (protocol, conventions)."""


class Outcome(Enum):
    """What becomes of a refresh."""

    ROTATED = "rotated"
    REPEATED = "repeated"
    REUSED = "reused"
    REFUSED = "refused"


@dataclass(frozen=True, kw_only=True)
class Decision:
    """The outcome; for a pair also its generation and the time that its access token carries."""

    outcome: Outcome
    generation: int = 0
    issued_at_ms: int = 0
    rotation: Rotation | None = None


@dataclass(frozen=True, kw_only=True)
class Reused:
    """A token came a second time: whoever holds the other copy, the login has ended, with these connections."""

    ended: list[Connection]


def plan_refresh(
    session: Session | None, *, is_genuine: bool, generation: int, key_hash: bytes | None, now_ms: int
) -> Decision:
    """Decide about a token of some generation of a session. A token that we did not make harms nobody's login."""
    if session is None or not is_genuine or not session.stands(now_ms) or generation > session.generation:
        return Decision(outcome=Outcome.REFUSED)
    if generation == session.generation:
        rotation = Rotation(
            generation=generation + 1,
            rotated_at_ms=now_ms,
            rotation_key_hash=key_hash,
            expires_at_ms=now_ms + SESSION_LIFETIME_MS,
        )
        return Decision(outcome=Outcome.ROTATED, generation=rotation.generation, issued_at_ms=now_ms, rotation=rotation)
    is_lost_answer = (
        generation == session.generation - 1
        and key_hash is not None
        and key_hash == session.rotation_key_hash
        and now_ms - session.rotated_at_ms <= REPEAT_WINDOW_MS
    )
    if is_lost_answer:
        return Decision(outcome=Outcome.REPEATED, generation=session.generation, issued_at_ms=session.rotated_at_ms)
    return Decision(outcome=Outcome.REUSED)


def refresh_session(ports: AuthPorts, refresh_token: str, *, idempotency_key: str | None) -> TokenPair | Reused:
    """Return the next pair of tokens, or what ended because the token had been used before.

    Raises `Unauthenticated` for a token that we did not make, or whose login is over. Idempotent for 60 s with the same
    key.
    """
    token = parse_refresh_token(refresh_token)
    signer = ports.signer()
    now_ms = ports.clock.now_ms()
    key_hash = sha256(idempotency_key.encode()).digest() if idempotency_key else None
    user = _user_of(ports, ports.sessions.find_session(token.session_id))

    def decide(session: Session | None) -> Decision:
        return plan_refresh(
            session,
            is_genuine=session is not None and signer.is_genuine(token, session.salt),
            generation=token.generation,
            key_hash=key_hash,
            now_ms=now_ms,
        )

    decision, session = ports.sessions.rotate(token.session_id, decide)
    if session is None or decision.outcome is Outcome.REFUSED:
        raise Unauthenticated
    if decision.outcome is Outcome.REUSED:
        return Reused(ended=ports.endings.revoke(session.user_id, [session.session_id], now_ms=now_ms))
    return make_pair(
        signer,
        user=user,
        device_id=session.device_id,
        session_id=session.session_id,
        generation=decision.generation,
        salt=session.salt,
        issued_at_ms=decision.issued_at_ms,
        ended=[],
    )


def _user_of(ports: AuthPorts, session: Session | None) -> User:
    """Read the user before anything is rotated: a failure then costs the client nothing."""
    if session is None:
        raise Unauthenticated
    try:
        return ports.users.get_user(session.user_id)
    except UserNotFound:
        raise Unauthenticated from None
