"""Counts events of a key in a window that begins with the first of them, in Redis."""

from dataclasses import dataclass

from gochat_repo.cache import Cache, Script

_COUNT = Script(
    """
    local count = redis.call('INCR', KEYS[1])
    if count == 1 then
      redis.call('PEXPIRE', KEYS[1], ARGV[1])
    end
    return {count, redis.call('PTTL', KEYS[1])}
    """
)


@dataclass(frozen=True, kw_only=True)
class Count:
    """How many events the window has seen, this one too, and when it ends."""

    events: int
    ends_in_ms: int


def count_event(cache: Cache, key: str, *, window_ms: int) -> Count:
    """Count one event, atomically; raises `CacheUnavailable`. A lost reply may count it twice."""
    events, ends_in_ms = cache.run([_COUNT.call([key], [window_ms])])[0]
    return Count(events=events, ends_in_ms=max(0, ends_in_ms))
