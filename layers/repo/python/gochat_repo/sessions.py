"""Logins: one row for each login of a device, which is also the family of its refresh tokens; cached in Redis."""

import contextlib
from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol, TypeVar

from gochat_core.types import DeviceId, SessionId, UserId
from gochat_repo.cache import Cache, CacheUnavailable
from gochat_repo.mysql import Database, Row, Transaction
from gochat_repo.session_state import SessionState, active_command, parse_state, state_command

__all__ = [
    "NewSession",
    "Rotation",
    "Session",
    "SessionState",
    "SessionStore",
    "Verdict",
    "insert_session",
    "live_session_ids",
    "parse_state",
    "revoke_sessions",
    "state_command",
]


@dataclass(frozen=True, kw_only=True)
class Session:
    """One login, as the table holds it."""

    session_id: SessionId
    user_id: UserId
    device_id: DeviceId
    platform: str
    salt: bytes
    generation: int
    rotated_at_ms: int
    rotation_key_hash: bytes | None
    created_at_ms: int
    last_used_at_ms: int
    expires_at_ms: int
    revoked_at_ms: int | None

    def stands(self, now_ms: int) -> bool:
        """Tell whether the login has neither been revoked nor run out."""
        return self.revoked_at_ms is None and now_ms < self.expires_at_ms


@dataclass(frozen=True, kw_only=True)
class NewSession:
    """A login that is about to be opened."""

    session_id: SessionId
    user_id: UserId
    device_id: DeviceId
    platform: str
    salt: bytes
    opened_at_ms: int
    expires_at_ms: int


@dataclass(frozen=True, kw_only=True)
class Rotation:
    """What a refresh changes in its session."""

    generation: int
    rotated_at_ms: int
    rotation_key_hash: bytes | None
    expires_at_ms: int


class Verdict(Protocol):
    """What was decided about a refresh; `rotation` is None where nothing changes."""

    @property
    def rotation(self) -> Rotation | None:
        """Return what to write."""
        ...


VerdictT = TypeVar("VerdictT", bound=Verdict)

_COLUMNS = (
    "session_id, user_id, device_id, platform, salt, generation, rotated_at_ms, rotation_key_hash,"
    " created_at_ms, last_used_at_ms, expires_at_ms, revoked_at_ms"
)


class SessionStore:
    """The table `sessions` and its cache."""

    def __init__(self, database: Database, cache: Cache) -> None:
        self._database = database
        self._cache = cache

    def find_session(self, session_id: SessionId) -> Session | None:
        """Return a login, revoked or not, as the writer has it."""
        sql = f"SELECT {_COLUMNS} FROM sessions WHERE session_id = %s"  # noqa: S608 - constant
        rows = self._database.read(lambda tx: tx.query(sql, (session_id,)))
        return _session(rows[0]) if rows else None

    def list_live_sessions(self, user_id: UserId, *, now_ms: int) -> list[Session]:
        """Return the user's logins that stand, last used first."""
        sql = (
            f"SELECT {_COLUMNS} FROM sessions WHERE user_id = %s AND revoked_at_ms IS NULL AND expires_at_ms > %s"  # noqa: S608
            " ORDER BY last_used_at_ms DESC, session_id DESC"
        )
        return [_session(row) for row in self._database.read(lambda tx: tx.query(sql, (user_id, now_ms)))]

    def rotate(
        self, session_id: SessionId, decide: Callable[[Session | None], VerdictT]
    ) -> tuple[VerdictT, Session | None]:
        """Lock a login's row, let `decide` judge it and write the rotation of its verdict; return verdict and session.

        The lock makes two refreshes with one token follow each other, so that the second sees the first's rotation.
        The session is returned as it was before. `decide` may run several times.
        """
        sql = f"SELECT {_COLUMNS} FROM sessions WHERE session_id = %s FOR UPDATE"  # noqa: S608 - constant

        def work(tx: Transaction) -> tuple[VerdictT, Session | None]:
            rows = tx.query(sql, (session_id,))
            session = _session(rows[0]) if rows else None
            verdict = decide(session)
            if (rotation := verdict.rotation) is not None:
                _save_rotation(tx, session_id, rotation)
            return verdict, session

        return self._database.transaction(work)

    def is_active(self, user_id: UserId, session_id: SessionId, *, now_ms: int) -> bool:
        """Tell whether a login stands: from Redis, where it knows, else from the table (and then Redis knows)."""
        try:
            state = parse_state(self._cache.run([state_command(user_id, session_id)])[0])
        except CacheUnavailable:
            state = SessionState.UNKNOWN
        if state is SessionState.UNKNOWN:
            return self.load_active(user_id, session_id, now_ms=now_ms)
        return state is SessionState.ACTIVE

    def load_active(self, user_id: UserId, session_id: SessionId, *, now_ms: int) -> bool:
        """Tell from the table whether a login stands, and remember it in Redis if it does."""
        session = self.find_session(session_id)
        active = session is not None and session.user_id == user_id and session.stands(now_ms)
        if active:
            # Redis is a cache: while it is away, every reader of a session's state asks the table.
            with contextlib.suppress(CacheUnavailable):
                self._cache.run([active_command(user_id, session_id)])
        return active


def live_session_ids(tx: Transaction, user_id: UserId, *, device_id: DeviceId | None = None) -> list[SessionId]:
    """Return the sessions of a user, or of one device, that were not revoked."""
    sql = "SELECT session_id FROM sessions WHERE user_id = %s AND revoked_at_ms IS NULL"
    if device_id is None:
        rows = tx.query(sql, (user_id,))
    else:
        rows = tx.query(f"{sql} AND device_id = %s", (user_id, device_id))
    return [SessionId(row[0]) for row in rows]


def revoke_sessions(tx: Transaction, session_ids: list[SessionId], *, now_ms: int) -> None:
    """Write that sessions have ended; one that had ended before keeps its time. Idempotent."""
    if session_ids:
        tx.execute(
            "UPDATE sessions SET revoked_at_ms = %s WHERE session_id IN %s AND revoked_at_ms IS NULL",
            (now_ms, tuple(sorted(session_ids))),
        )


def insert_session(tx: Transaction, new: NewSession) -> None:
    """Insert a login in its first generation."""
    tx.execute(
        "INSERT INTO sessions (session_id, user_id, device_id, platform, salt, generation, rotated_at_ms,"
        " created_at_ms, last_used_at_ms, expires_at_ms) VALUES (%s, %s, %s, %s, %s, 1, %s, %s, %s, %s)",
        (
            new.session_id,
            new.user_id,
            new.device_id,
            new.platform,
            new.salt,
            new.opened_at_ms,
            new.opened_at_ms,
            new.opened_at_ms,
            new.expires_at_ms,
        ),
    )


def _save_rotation(tx: Transaction, session_id: SessionId, rotation: Rotation) -> None:
    tx.execute(
        "UPDATE sessions SET generation = %s, rotated_at_ms = %s, rotation_key_hash = %s, last_used_at_ms = %s,"
        " expires_at_ms = %s WHERE session_id = %s",
        (
            rotation.generation,
            rotation.rotated_at_ms,
            rotation.rotation_key_hash,
            rotation.rotated_at_ms,
            rotation.expires_at_ms,
            session_id,
        ),
    )


def _session(row: Row) -> Session:
    return Session(
        session_id=SessionId(row[0]),
        user_id=UserId(row[1]),
        device_id=DeviceId(row[2]),
        platform=row[3],
        salt=row[4],
        generation=row[5],
        rotated_at_ms=row[6],
        rotation_key_hash=row[7],
        created_at_ms=row[8],
        last_used_at_ms=row[9],
        expires_at_ms=row[10],
        revoked_at_ms=row[11],
    )
