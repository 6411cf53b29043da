"""Users whose connection went: marked in Redis, found by a sweep some time later, when who came back is back."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass

from gochat_core.types import UserId
from gochat_repo.cache import Cache, Command, Script, command

SHARDS = 16
"""Sorted sets that the marks are spread over, and with them over the cluster's nodes."""

KEPT_S = 3600
"""Every key has an end, because ElastiCache Serverless evicts only those; sweeps run every minute."""

LEASE_MS = 60_000
"""How long a mark stays with the sweep that claimed it; then the next one takes it over."""

# Whoever is due is put off at once, so that a second sweep does not tell the same.
_CLAIM = Script("""
local due = redis.call('ZRANGEBYSCORE', KEYS[1], '-inf', ARGV[1], 'LIMIT', 0, ARGV[3])
for _, user in ipairs(due) do redis.call('ZADD', KEYS[1], ARGV[2], user) end
return due
""")

# A mark that was set anew since it was claimed stays: its user came and went again.
_RELEASE = Script("""
local held = redis.call('ZSCORE', KEYS[1], ARGV[1])
if held and tonumber(held) == tonumber(ARGV[2]) then redis.call('ZREM', KEYS[1], ARGV[1]) end
return 0
""")


@dataclass(frozen=True, kw_only=True)
class Claim:
    """Users whose departure is due, for one sweep to deal with."""

    users: tuple[UserId, ...]
    score: int


def departure_commands(user_ids: Collection[UserId], *, now_ms: int) -> list[Command]:
    """Mark that a connection of each user went now; a later mark takes the place of an earlier one."""
    commands: list[Command] = []
    for user_id in user_ids:
        key = _key(_shard(user_id))
        commands += [command("ZADD", key, now_ms, user_id), command("EXPIRE", key, KEPT_S)]
    return commands


class Departures:
    """The marks as sweeps see them. Every method raises `CacheUnavailable`."""

    def __init__(self, cache: Cache) -> None:
        self._cache = cache

    def claim(self, *, gone_before_ms: int, limit: int) -> Claim:
        """Take over departures up to a time, about `limit` of them; nobody else gets them for LEASE_MS.

        One round trip. Those that a sweep never releases come again.
        """
        score = gone_before_ms + LEASE_MS
        each = max(1, limit // SHARDS)
        replies = self._cache.run(
            [_CLAIM.call([_key(shard)], [gone_before_ms, score, each]) for shard in range(SHARDS)]
        )
        return Claim(users=tuple(UserId(int(user)) for reply in replies for user in reply), score=score)

    def release(self, claim: Claim, users: Sequence[UserId]) -> None:
        """Drop what was dealt with, but for whoever went again meanwhile. One round trip."""
        self._cache.run([_RELEASE.call([_key(_shard(user))], [user, claim.score]) for user in users])

    def find_last(self, *, after_ms: int, until_ms: int) -> int | None:
        """Return when the last departure between two times happened; None without one. One round trip."""
        replies = self._cache.run(
            [
                command("ZREVRANGEBYSCORE", _key(shard), until_ms, f"({after_ms}", "WITHSCORES", "LIMIT", 0, 1)
                for shard in range(SHARDS)
            ]
        )
        found = [_score(reply) for reply in replies if reply]
        return max(found, default=None)


def _score(reply: Sequence[bytes]) -> int:
    return int(float(reply[1]))


def _shard(user_id: UserId) -> int:
    return user_id % SHARDS


def _key(shard: int) -> str:
    return f"presence_gone:{shard}"
