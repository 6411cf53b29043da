"""Deletes what nothing asks for any more: used tickets, counted guesses, ended logins, kept answers, old pushes."""

from gochat_repo.idempotency_keys import delete_expired_keys
from gochat_repo.mysql import Database
from gochat_repo.push_log import delete_old_pushes

_TICKETS = "DELETE FROM used_tickets WHERE expires_at_ms < %s ORDER BY expires_at_ms LIMIT %s"
_FAILURES = "DELETE FROM login_failures WHERE window_started_at_ms < %s ORDER BY window_started_at_ms LIMIT %s"
_SESSIONS = "DELETE FROM sessions WHERE expires_at_ms < %s ORDER BY expires_at_ms LIMIT %s"

TICKET_MARGIN_MS = 10 * 60 * 1000
"""A ticket whose row is gone must be refused by its age wherever it is shown: far more than clocks stand apart."""

FAILURES_MARGIN_MS = 24 * 3600 * 1000
"""Longer than any window in which failed logins are counted (default 15 minutes)."""

SESSION_MARGIN_MS = 7 * 24 * 3600 * 1000
"""How long an ended login is still told apart from one that never was, for whoever looks into a theft."""


PUSH_LOG_MS = 30 * 24 * 3600 * 1000
"""How long it can be asked what became of a push."""


class ExpiredRows:
    """One statement a call, each deleting at most `limit` rows and returning how many; all are idempotent."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def delete_used_tickets(self, *, now_ms: int, limit: int) -> int:
        """Delete tickets that would be refused by their age alone."""
        return self._delete(_TICKETS, now_ms - TICKET_MARGIN_MS, limit)

    def delete_login_failures(self, *, now_ms: int, limit: int) -> int:
        """Delete counts of failed logins whose window is long over."""
        return self._delete(_FAILURES, now_ms - FAILURES_MARGIN_MS, limit)

    def delete_sessions(self, *, now_ms: int, limit: int) -> int:
        """Delete logins that ran out a while ago, revoked or not."""
        return self._delete(_SESSIONS, now_ms - SESSION_MARGIN_MS, limit)

    def delete_idempotency_keys(self, *, now_ms: int, limit: int) -> int:
        """Delete kept answers that nobody may ask for again."""
        return self._database.transaction(lambda tx: delete_expired_keys(tx, now_ms, limit))

    def delete_push_log(self, *, now_ms: int, limit: int) -> int:
        """Delete the log of pushes of long ago."""
        return self._database.transaction(lambda tx: delete_old_pushes(tx, now_ms - PUSH_LOG_MS, limit))

    def _delete(self, statement: str, before_ms: int, limit: int) -> int:
        return self._database.transaction(lambda tx: tx.execute(statement, (before_ms, limit)))
