"""Stops the guessing of passwords: so many failed attempts at a username in a while, then none for the rest of it."""

from gochat_core.errors import TooManyAttempts
from gochat_repo.window_counter import Count
from logic.auth.ports import AuthPorts


def check_attempt(count: Count, *, limit: int) -> None:
    """Raise `TooManyAttempts` when the attempt that was just counted is one too many."""
    if count.events > limit:
        raise TooManyAttempts(retry_after_ms=count.ends_in_ms)


def count_attempt(ports: AuthPorts, username: str) -> None:
    """Count an attempt before the password is looked at, so that many at once can't slip through together."""
    count = ports.failures.count_attempt(username, now_ms=ports.clock.now_ms())
    check_attempt(count, limit=ports.limits.failed_logins)
