"""Presence: online by the table of connections, subscriptions and what was told last in Redis."""

from collections.abc import Collection, Sequence

from gochat_contracts.presence import MAX_WATCHED, UserPresence, Watchers
from gochat_core.types import ConnectionId, UserId
from gochat_repo.acquaintances import get_acquaintances
from gochat_repo.cache import Cache, Command, Reply, Script, command
from gochat_repo.departures import departure_commands
from gochat_repo.mysql import Database, Transaction

SUBSCRIBED_S = 2 * 3600 + 600
"""Longer than a connection lives (API Gateway developer guide, "Quotas for WebSocket APIs": 2 hours)."""

TOLD_S = 3 * 3600
"""How long "told online" is remembered: renewed at each connect, and so at least every 2 hours."""

TOLD_AT_ONCE = 1_000
"""Subscriptions that a handshake tells; where there are more, the next sweep tells all of them."""

_STATES = (
    "SELECT u.user_id, u.last_seen_at_ms, EXISTS (SELECT 1 FROM connections c WHERE c.user_id = u.user_id)"
    " FROM users u WHERE u.user_id IN %s"
)

# Nothing is kept unless all fit; what is watched already takes no room.
_WATCH = Script("""
local new = 0
for i = 3, #ARGV do new = new + 1 - redis.call('SISMEMBER', KEYS[1], ARGV[i]) end
if redis.call('SCARD', KEYS[1]) + new > tonumber(ARGV[1]) then return 0 end
for i = 3, #ARGV do redis.call('SADD', KEYS[1], ARGV[i]) end
redis.call('EXPIRE', KEYS[1], ARGV[2])
return 1
""")

_ADD_WATCHER = Script("""
redis.call('ZREMRANGEBYSCORE', KEYS[1], '-inf', ARGV[1])
redis.call('ZADD', KEYS[1], ARGV[2], ARGV[4])
redis.call('EXPIRE', KEYS[1], ARGV[3])
return 0
""")


class Presence:
    """The store of presence. What needs Redis raises `CacheUnavailable` while it is away; nothing else needs it."""

    def __init__(self, database: Database, cache: Cache) -> None:
        self._database = database
        self._cache = cache

    def list_visible(self, viewer: UserId, user_ids: Collection[UserId]) -> list[UserId]:
        """Return those whose presence the viewer may see; reads the writer."""
        return self._database.read(lambda tx: get_acquaintances(tx, viewer, user_ids))

    def subscribe(
        self, subscriber: UserId, connection_id: ConnectionId, user_ids: Sequence[UserId], *, now_ms: int
    ) -> bool:
        """Add to what a connection has subscribed to, and tell whether it had room for all of it; idempotent.

        Two cache round trips. It ends by itself, some minutes after any connection has.
        """
        watched = _WATCH.call([f"presence_watched:{connection_id}"], [MAX_WATCHED, SUBSCRIBED_S, *user_ids])
        if not self._cache.run([watched])[0]:
            return False
        until_ms = now_ms + SUBSCRIBED_S * 1000
        member = f"{subscriber} {connection_id}"
        self._cache.run(
            [_ADD_WATCHER.call([_watchers_key(user)], [now_ms, until_ms, SUBSCRIBED_S, member]) for user in user_ids]
        )
        return True

    def end_subscriptions(self, one: UserId, other: UserId) -> None:
        """End what two have subscribed to of each other, on every connection; idempotent. Two cache round trips."""
        replies = self._cache.run([command("ZRANGE", _watchers_key(user), 0, -1) for user in (one, other)])
        ended = [
            command("ZREM", _watchers_key(user), *members)
            for user, peer, reply in zip((one, other), (other, one), replies, strict=True)
            if (members := [member for member in reply if member.startswith(b"%d " % peer)])
        ]
        self._cache.run(ended)

    def load(self, user_ids: Collection[UserId], *, now_ms: int) -> dict[UserId, UserPresence]:
        """Return the truth about users, erased ones too, from the writer; one statement."""
        if not user_ids:
            return {}
        return self._database.read(lambda tx: _load(tx, user_ids, now_ms))

    def tell(self, user_ids: Sequence[UserId], *, now_ms: int) -> dict[UserId, UserPresence]:
        """Return the truth for somebody who has subscribed, so that every later change of it becomes an event.

        Whoever went a moment ago may still be told to be online, and coming back would be no news; it is, to somebody
        who was answered "offline". One database and one cache round trip, or two database ones.
        """
        found = self.load(user_ids, now_ms=now_ms)
        away = [user for user, presence in found.items() if not presence.online]
        if away:
            replies = self._cache.run([command("DEL", _told_key(user)) for user in away])
            # Who came back before that was deleted is online by now, who comes back later is told.
            found |= self.load([user for user, was_told in zip(away, replies, strict=True) if was_told], now_ms=now_ms)
        return found

    def come_online(self, user_id: UserId, connection_id: ConnectionId, *, now_ms: int) -> Watchers:
        """Note that a user is told to be online, and return whom to tell: nobody, if that was told already.

        To be called once the connection is registered. One cache round trip; a second one for a user with very many
        subscribers, whom the next sweep tells.
        """
        told, reply = self._cache.run(
            [_tell_online(user_id, connection_id), _list_watchers(user_id, now_ms, TOLD_AT_ONCE + 1)]
        )
        # Our own note: the command ran twice, because the first reply was lost.
        if told is not None and told != connection_id.encode():
            return {}
        if len(reply) > TOLD_AT_ONCE:
            self.put_off(user_id)
            return {}
        return _read_watchers(reply)

    def put_off(self, user_id: UserId) -> None:
        """Leave it to the next sweep to tell that a user is online. One cache round trip."""
        self._cache.run([command("DEL", _told_key(user_id)), *departure_commands([user_id], now_ms=0)])

    def list_told(self, user_ids: Sequence[UserId]) -> set[UserId]:
        """Return who was told to be online and not offline since. One cache round trip."""
        replies = self._cache.run([command("GET", _told_key(user)) for user in user_ids])
        return {user for user, reply in zip(user_ids, replies, strict=True) if reply is not None}

    def note_online(self, user_ids: Collection[UserId]) -> None:
        """Note that these users are told to be online. One cache round trip."""
        self._cache.run([_tell_online(user, ConnectionId("")) for user in user_ids])

    def note_offline(self, user_ids: Collection[UserId]) -> None:
        """Note that these users were told to be offline. One cache round trip."""
        self._cache.run([command("DEL", _told_key(user)) for user in user_ids])

    def list_watchers(self, user_ids: Sequence[UserId], *, now_ms: int) -> dict[UserId, Watchers]:
        """Return who has subscribed to each of these users. One cache round trip."""
        replies = self._cache.run([_list_watchers(user, now_ms, -1) for user in user_ids])
        return {user: _read_watchers(reply) for user, reply in zip(user_ids, replies, strict=True)}


def _load(tx: Transaction, user_ids: Collection[UserId], now_ms: int) -> dict[UserId, UserPresence]:
    return {
        user_id: UserPresence(user_id=user_id, online=bool(online), last_seen_ms=now_ms if online else last_seen_ms)
        for user_id, last_seen_ms, online in tx.query(_STATES, (tuple(user_ids),))
    }


def _tell_online(user_id: UserId, connection_id: ConnectionId) -> Command:
    return command("SET", _told_key(user_id), connection_id, "EX", TOLD_S, "GET")


def _list_watchers(user_id: UserId, now_ms: int, limit: int) -> Command:
    return command("ZRANGEBYSCORE", _watchers_key(user_id), f"({now_ms}", "+inf", "LIMIT", 0, limit)


def _read_watchers(members: Reply) -> Watchers:
    watchers: dict[UserId, frozenset[ConnectionId]] = {}
    for member in members:
        subscriber, _, connection_id = member.decode().partition(" ")
        user_id = UserId(int(subscriber))
        watchers[user_id] = watchers.get(user_id, frozenset()) | {ConnectionId(connection_id)}
    return watchers


def _told_key(user_id: UserId) -> str:
    return f"presence_told:{user_id}"


def _watchers_key(user_id: UserId) -> str:
    return f"presence_watchers:{user_id}"
