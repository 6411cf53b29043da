"""Who is online and was last seen when: kept in Redis alone, since nothing may depend on it."""

from collections.abc import Mapping

import msgspec

from gochat_core.types import UserId
from gochat_repo.cache import Cache, CacheUnavailable, command

KEPT_S = 90 * 24 * 3600


class UserStatus(msgspec.Struct, frozen=True, kw_only=True):
    """Whether a user has a connection, and when that was last known to change."""

    online: bool
    last_seen_ms: int


_encode = msgspec.json.Encoder().encode


class UserStatuses:
    """The store of statuses."""

    def __init__(self, cache: Cache) -> None:
        self._cache = cache

    def save(self, statuses: Mapping[UserId, UserStatus]) -> None:
        """Write statuses in one round trip; idempotent. While Redis is away they are lost, as with any cache."""
        writes = [command("SET", f"user_status:{user}", _encode(one), "EX", KEPT_S) for user, one in statuses.items()]
        try:
            self._cache.run(writes)
        except CacheUnavailable:
            return
