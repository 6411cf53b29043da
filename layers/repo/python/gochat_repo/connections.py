"""Open connections of users: MySQL is the truth, Redis the cache that announcements read."""

import contextlib
import random
from collections.abc import Collection, Iterable, Mapping, Sequence

import msgspec

from gochat_core.clock import Clock, SystemClock
from gochat_core.errors import Unavailable
from gochat_core.types import CellId, ConnectionId, DeviceId, SessionId, UserId
from gochat_repo.cache import Cache, CacheUnavailable, Command, Reply, command
from gochat_repo.departures import departure_commands
from gochat_repo.mysql import Database, DeferredWrite, Row, Transaction

TOMBSTONE = b"!"
TOMBSTONE_S = 5
"""How long after a write a reader may neither trust nor fill the cache: longer than any reader holds what it read."""

CACHED_S = 600
"""A stale entry heals by itself (a dead connection is reported, the offline path asks MySQL), this bounds it anyway."""


class Connection(msgspec.Struct, frozen=True, kw_only=True):
    """One open WebSocket connection; a device has at most one."""

    user_id: UserId
    device_id: DeviceId
    session_id: SessionId
    cell_id: CellId
    connection_id: ConnectionId
    connected_at_ms: int


_COLUMNS = "user_id, device_id, session_id, cell_id, connection_id, connected_at_ms"
_SEEN = "UPDATE users SET last_seen_at_ms = GREATEST(COALESCE(last_seen_at_ms, 0), %s) WHERE user_id IN %s"
_SYSTEM_CLOCK = SystemClock()
_encode = msgspec.json.Encoder().encode
_decoder = msgspec.json.Decoder(tuple[Connection, ...])


def get_connections(tx: Transaction, user_ids: Collection[UserId]) -> list[Connection]:
    """Read the connections of several users in one statement."""
    if not user_ids:
        return []
    rows = tx.query(f"SELECT {_COLUMNS} FROM connections WHERE user_id IN %s", (tuple(user_ids),))  # noqa: S608 - constant
    return [read_connection(row) for row in rows]


def delete_session_connections(
    tx: Transaction, user_id: UserId, session_ids: Collection[SessionId]
) -> list[Connection]:
    """Delete the connections of one user's sessions and return them, so that they can be closed.

    For a transaction that ends sessions; call `forget` before it and after its commit.
    """
    held = [found for found in get_connections(tx, [user_id]) if found.session_id in session_ids]
    if held:
        tx.execute(
            "DELETE FROM connections WHERE (user_id, device_id) IN %s AND connection_id IN %s",
            (tuple((one.user_id, one.device_id) for one in held), tuple(one.connection_id for one in held)),
        )
    return held


class Connections:
    """The store of connections. Everything works without Redis, only slower."""

    def __init__(self, database: Database, cache: Cache, clock: Clock = _SYSTEM_CLOCK) -> None:
        self._database = database
        self._cache = cache
        self._clock = clock

    def register(self, connection: Connection) -> Connection | None:
        """Make this the one connection of its device and return the one it replaces, if any; safe to repeat.

        When the device has a connection that was opened later (two `$connect` ran at once), that one stays and the
        given one is returned: it is the one to close. Two to four database round trips. Raises `Unavailable`.
        """
        self.forget([connection.user_id])
        replaced = self._database.transaction(lambda tx: _register(tx, connection))
        self.forget([connection.user_id])
        return replaced

    def remove(self, user_id: UserId, device_id: DeviceId, connection_id: ConnectionId) -> bool:
        """Delete exactly this connection, never a successor of the same device; tell whether it was there.

        Safe to repeat and to call late. Two database round trips and two cache ones, a third database one nobody waits
        for. Raises `Unavailable`.
        """
        return bool(self.remove_many([(user_id, device_id, connection_id)]))

    def withdraw(self, user_id: UserId, device_id: DeviceId, connection_id: ConnectionId) -> None:
        """Delete a connection whose handshake was refused: it never was open, so nobody went. Raises `Unavailable`."""
        self._delete([(user_id, device_id, connection_id)])
        self.forget([user_id])

    def remove_many(self, gone: Sequence[tuple[UserId, DeviceId, ConnectionId]]) -> int:
        """Delete exactly these connections in one statement and return how many there were; their users were seen."""
        if not gone:
            return 0
        users = {user_id for user_id, _, _ in gone}
        count = self._delete(gone)
        if count:
            self.note_departures(users)
        else:
            self.forget(users)
        return count

    def note_departures(self, user_ids: Collection[UserId]) -> None:
        """Note, after the commit that deleted connections of these users, that they were seen until now; best effort.

        In MySQL, for whoever asks, and in Redis, for the sweep that tells it to whoever has subscribed. The statement
        on `users` runs on its own, while Redis is waited for: nothing that holds rows of connections may wait for it.
        """
        now_ms = self._clock.now_ms()
        seen: DeferredWrite | None = None
        with contextlib.suppress(Unavailable):
            seen = self._database.write_deferred(_SEEN, (now_ms, tuple(sorted(user_ids))))
        with contextlib.suppress(CacheUnavailable):
            self._cache.run([*_tombstones(user_ids), *departure_commands(user_ids, now_ms=now_ms)])
        if seen is not None:
            seen.commit()

    def list_by_users(self, user_ids: Collection[UserId]) -> dict[UserId, tuple[Connection, ...]]:
        """Return the connections of several users from MySQL; a user without any is left out."""
        return group_by_user(self._database.read(lambda tx: get_connections(tx, user_ids)))

    def list_by_sessions(self, user_id: UserId, session_ids: Collection[SessionId]) -> list[Connection]:
        """Return the connections that one user's sessions hold, from MySQL."""
        held = self._database.read(lambda tx: get_connections(tx, [user_id]))
        return [one for one in held if one.session_id in session_ids]

    def find(
        self, user_ids: Collection[UserId], *, also: Sequence[Command] = ()
    ) -> dict[UserId, tuple[Connection, ...]]:
        """Return the connections of several users from the cache, and what it lacks from MySQL; none are left out.

        `also` rides in the same pipeline (its replies are not needed); when Redis is away it is lost, as with any
        cache. One cache round trip when all is cached; else one database round trip and one more to fill.
        """
        users = list(user_ids)
        try:
            replies = self._cache.run([*(command("GET", _key(user)) for user in users), *also])[: len(users)]
        except CacheUnavailable:
            return dict.fromkeys(users, ()) | self.list_by_users(users)
        found, unknown, fillable = _sort_replies(users, replies)
        if unknown:
            held = self.list_by_users(unknown)
            found |= {user: held.get(user, ()) for user in unknown}
            self._fill({user: found[user] for user in fillable})
        return found

    def forget(self, user_ids: Iterable[UserId]) -> None:
        """Leave a tombstone for each user: before a write and after its commit."""
        try:
            self._cache.run(_tombstones(user_ids))
        except CacheUnavailable:
            # Nobody can read the cache either; what it may still hold when it comes back is bounded by CACHED_S.
            return

    def _delete(self, gone: Sequence[tuple[UserId, DeviceId, ConnectionId]]) -> int:
        self.forget({user_id for user_id, _, _ in gone})
        return self._database.transaction(
            lambda tx: tx.execute(
                "DELETE FROM connections WHERE (user_id, device_id) IN %s AND connection_id IN %s",
                (tuple((user, device) for user, device, _ in gone), tuple(connection for _, _, connection in gone)),
            )
        )

    def _fill(self, found: Mapping[UserId, tuple[Connection, ...]]) -> None:
        # NX: a tombstone that was set since, or a newer value, stays.
        fills = [
            command("SET", _key(user), _encode(held), "NX", "EX", int(CACHED_S * random.uniform(0.8, 1.2)))  # noqa: S311
            for user, held in found.items()
        ]
        try:
            self._cache.run(fills)
        except CacheUnavailable:
            return


def _tombstones(user_ids: Iterable[UserId]) -> list[Command]:
    return [command("SET", _key(user), TOMBSTONE, "EX", TOMBSTONE_S) for user in user_ids]


def group_by_user(connections: Iterable[Connection]) -> dict[UserId, tuple[Connection, ...]]:
    """Group connections by their user."""
    grouped: dict[UserId, tuple[Connection, ...]] = {}
    for one in connections:
        grouped[one.user_id] = (*grouped.get(one.user_id, ()), one)
    return grouped


def _sort_replies(
    users: Sequence[UserId], replies: Sequence[Reply]
) -> tuple[dict[UserId, tuple[Connection, ...]], list[UserId], list[UserId]]:
    """Return what the cache knows, whom MySQL must be asked for, and for whom the answer may be cached."""
    found: dict[UserId, tuple[Connection, ...]] = {}
    unknown: list[UserId] = []
    fillable: list[UserId] = []
    for user, reply in zip(users, replies, strict=True):
        if reply is None:
            unknown.append(user)
            fillable.append(user)
        elif reply == TOMBSTONE:
            unknown.append(user)
        else:
            try:
                found[user] = _decoder.decode(reply)
            except msgspec.MsgspecError:
                # Written by a newer release while the deployment rolls.
                unknown.append(user)
    return found, unknown, fillable


def _register(tx: Transaction, new: Connection) -> Connection | None:
    at_ms = new.connected_at_ms
    values = (new.user_id, new.device_id, new.session_id, new.cell_id, new.connection_id, at_ms, at_ms)
    # Changes nothing where a row is, but locks it: of two connects at once, one waits and sees the other's.
    inserted = tx.execute_rows(
        f"INSERT INTO connections ({_COLUMNS}, checked_at_ms) VALUES",
        [values],
        "ON DUPLICATE KEY UPDATE user_id = user_id",
    )
    if inserted:
        return None
    rows = tx.query(
        f"SELECT {_COLUMNS} FROM connections WHERE user_id = %s AND device_id = %s",  # noqa: S608 - constant
        (new.user_id, new.device_id),
    )
    held = read_connection(rows[0])
    if held.connection_id == new.connection_id:
        return None
    if held.connected_at_ms > new.connected_at_ms:
        return new
    tx.execute(
        "UPDATE connections SET session_id = %s, cell_id = %s, connection_id = %s, connected_at_ms = %s,"
        " checked_at_ms = %s WHERE user_id = %s AND device_id = %s",
        (new.session_id, new.cell_id, new.connection_id, at_ms, at_ms, new.user_id, new.device_id),
    )
    return held


def read_connection(row: Row) -> Connection:
    """Make a connection of the columns user_id, device_id, session_id, cell_id, connection_id, connected_at_ms."""
    user_id, device_id, session_id, cell_id, connection_id, connected_at_ms = row
    return Connection(
        user_id=user_id,
        device_id=device_id,
        session_id=session_id,
        cell_id=cell_id,
        connection_id=connection_id,
        connected_at_ms=connected_at_ms,
    )


def _key(user_id: UserId) -> str:
    return f"user_conns:{user_id}"
