"""Registrations of a network address in the running window: in Redis alone, so unlimited while it is away."""

from gochat_repo.cache import Cache, CacheUnavailable
from gochat_repo.window_counter import Count, count_event


class Registrations:
    """Count who registers from where."""

    def __init__(self, cache: Cache, *, window_ms: int) -> None:
        self._cache = cache
        self._window_ms = window_ms

    def count_attempt(self, network: str) -> Count:
        """Count one registration from a network; fails open: without Redis nothing is counted."""
        try:
            return count_event(self._cache, f"registrations:{network}", window_ms=self._window_ms)
        except CacheUnavailable:
            return Count(events=0, ends_in_ms=0)
