"""Deletes rows that nothing asks for any more, and connections that the platform must have cut."""

from collections.abc import Callable
from dataclasses import dataclass

from gochat_core.clock import Clock
from gochat_core.sweeps import Counts, TimeLimit
from gochat_repo.connection_checks import ConnectionChecks
from gochat_repo.expired_rows import ExpiredRows

CHUNK = 500
"""Rows that one statement deletes: a lock held for milliseconds."""


@dataclass(frozen=True, kw_only=True)
class RowSweep:
    """Deletes in chunks, each a transaction of its own."""

    rows: ExpiredRows
    checks: ConnectionChecks
    clock: Clock

    def remove_overaged_connections(self, limit: TimeLimit) -> Counts:
        """Remove connections past the platform's lifetime, as their `$disconnect` would have."""
        return {
            "ConnectionsOveraged": self._repeat(
                limit, lambda now_ms: self.checks.remove_overaged(now_ms=now_ms, limit=CHUNK)
            )
        }

    def delete_expired_rows(self, limit: TimeLimit) -> Counts:
        """Delete tickets, counts of failed logins, logins, idempotency keys and logged pushes whose time is over."""
        rows = self.rows
        return {
            "TicketsDeleted": self._repeat(limit, lambda at: rows.delete_used_tickets(now_ms=at, limit=CHUNK)),
            "FailuresDeleted": self._repeat(limit, lambda at: rows.delete_login_failures(now_ms=at, limit=CHUNK)),
            "SessionsDeleted": self._repeat(limit, lambda at: rows.delete_sessions(now_ms=at, limit=CHUNK)),
            "KeysDeleted": self._repeat(limit, lambda at: rows.delete_idempotency_keys(now_ms=at, limit=CHUNK)),
            "PushesForgotten": self._repeat(limit, lambda at: rows.delete_push_log(now_ms=at, limit=CHUNK)),
        }

    def _repeat(self, limit: TimeLimit, delete: Callable[[int], int]) -> int:
        """Delete chunk by chunk until one is not full or the time is over."""
        deleted = 0
        while not limit.is_over():
            count = delete(self.clock.now_ms())
            deleted += count
            if count < CHUNK:
                break
        return deleted
