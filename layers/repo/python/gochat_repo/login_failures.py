"""Failed logins of a username in the running window: in Redis, and in MySQL while Redis is away."""

import contextlib

from gochat_repo.cache import Cache, CacheUnavailable, command
from gochat_repo.mysql import Database, Transaction
from gochat_repo.window_counter import Count, count_event

# MySQL assigns from left to right, so `failures` still sees the old start of the window.
_COUNT = """
INSERT INTO login_failures (username, failures, window_started_at_ms) VALUES (%s, 1, %s)
ON DUPLICATE KEY UPDATE
  failures = IF(window_started_at_ms <= %s, 1, failures + 1),
  window_started_at_ms = IF(window_started_at_ms <= %s, VALUES(window_started_at_ms), window_started_at_ms)
"""


class LoginFailures:
    """Count attempts before the password is checked, so that many at once can't slip through together."""

    def __init__(self, database: Database, cache: Cache, *, window_ms: int) -> None:
        self._database = database
        self._cache = cache
        self._window_ms = window_ms

    def count_attempt(self, username: str, *, now_ms: int) -> Count:
        """Count one attempt at a (lower-case) username as failed until `forget` says otherwise."""
        try:
            return count_event(self._cache, _key(username), window_ms=self._window_ms)
        except CacheUnavailable:
            return self._database.transaction(lambda tx: self._count_in_table(tx, username, now_ms))

    def forget(self, username: str) -> None:
        """Start again after a login that succeeded. Idempotent."""
        with contextlib.suppress(CacheUnavailable):
            self._cache.run([command("DEL", _key(username))])
        if self._database.read(lambda tx: tx.query("SELECT 1 FROM login_failures WHERE username = %s", (username,))):
            self._database.transaction(
                lambda tx: tx.execute("DELETE FROM login_failures WHERE username = %s", (username,))
            )

    def _count_in_table(self, tx: Transaction, username: str, now_ms: int) -> Count:
        over_before_ms = now_ms - self._window_ms
        tx.execute(_COUNT, (username, now_ms, over_before_ms, over_before_ms))
        failures, started_at_ms = tx.query(
            "SELECT failures, window_started_at_ms FROM login_failures WHERE username = %s", (username,)
        )[0]
        return Count(events=failures, ends_in_ms=max(0, started_at_ms + self._window_ms - now_ms))


def _key(username: str) -> str:
    return f"login_failures:{username}"
