"""A circuit breaker: a provider that is away is left alone for a while, and never holds up the others."""

from threading import Lock

from gochat_core.clock import Clock

OPENS_AFTER = 5
"""Failures in a row."""

OPEN_MS = 30_000


class Breaker:
    """Of one provider, in one container; safe for several threads."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._lock = Lock()
        self._failures = 0
        self._open_until_ms = 0

    def wait_ms(self) -> int:
        """Return for how long nothing is sent; 0 lets a call through. After a pause, one failure is enough again."""
        with self._lock:
            return max(0, self._open_until_ms - self._clock.now_ms())

    def note(self, *, is_up: bool) -> None:
        """Tell how a call ended."""
        with self._lock:
            if is_up:
                self._failures = 0
                return
            self._failures += 1
            if self._failures >= OPENS_AFTER:
                self._open_until_ms = self._clock.now_ms() + OPEN_MS
