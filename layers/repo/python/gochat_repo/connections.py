"""Open connections of users: MySQL is the truth, Redis the cache that announcements read."""

import contextlib
from collections.abc import Collection, Iterable, Sequence

import msgspec

from gochat_core.clock import Clock, SystemClock
from gochat_core.errors import Unavailable
from gochat_core.types import CellId, ConnectionId, DeviceId, SessionId, UserId
from gochat_repo.cache import Cache, Command
from gochat_repo.cached_kinds import Kind
from gochat_repo.departures import departure_commands
from gochat_repo.mysql import Database, DeferredWrite, Row, Transaction
from gochat_repo.read_through import ReadThrough

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

    For a transaction that ends sessions; call `begin_change` before it and `forget` after its commit.
    """
    held = [found for found in get_connections(tx, [user_id]) if found.session_id in session_ids]
    if held:
        tx.execute(
            "DELETE FROM connections WHERE (user_id, device_id) IN %s AND connection_id IN %s",
            (tuple((one.user_id, one.device_id) for one in held), tuple(one.connection_id for one in held)),
        )
    return held


def _load_connections(tx: Transaction, user_ids: Sequence[UserId]) -> dict[UserId, tuple[Connection, ...]]:
    return dict.fromkeys(user_ids, ()) | group_by_user(get_connections(tx, user_ids))


_HELD: Kind[UserId, tuple[Connection, ...]] = Kind(
    name="user_conns",
    load=_load_connections,
    encode=msgspec.json.Encoder().encode,
    decode=msgspec.json.Decoder(tuple[Connection, ...]).decode,
    ttl_s=CACHED_S,
    reads_writer=True,
    waits=False,
    leaves_tombstone=False,
)
"""Of users without any: an empty tuple, since that is what most of them have."""


class Connections:
    """The store of connections. Everything works without Redis, only slower."""

    def __init__(self, database: Database, cache: Cache, clock: Clock = _SYSTEM_CLOCK) -> None:
        self._database = database
        self._values = ReadThrough(database, cache)
        self._clock = clock

    def register(self, connection: Connection, *, replacing: Connection | None = None) -> Connection | None:
        """Make this the one connection of its device; safe to repeat.

        If the device has another one, which is not the one that it is said to replace, nothing is changed and that one
        returned: whoever replaces it sees to its end first. Two to four database round trips. Raises `Unavailable`.
        """
        with self._values.changing(_HELD, [connection.user_id]):
            return self._database.transaction(lambda tx: _register(tx, connection, replacing))

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
        self._values.end_change(_HELD, user_ids, also=departure_commands(user_ids, now_ms=now_ms))
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
        return self._values.get_many(_HELD, user_ids, also=also)

    def begin_change(self, user_ids: Collection[UserId]) -> None:
        """Keep others from caching connections of these users, before a transaction that deletes some of them."""
        self._values.begin_change(_HELD, user_ids)

    def forget(self, user_ids: Collection[UserId]) -> None:
        """Drop what is cached of these users, after the commit."""
        self._values.end_change(_HELD, user_ids)

    def _delete(self, gone: Sequence[tuple[UserId, DeviceId, ConnectionId]]) -> int:
        self.begin_change({user_id for user_id, _, _ in gone})
        return self._database.transaction(
            lambda tx: tx.execute(
                "DELETE FROM connections WHERE (user_id, device_id) IN %s AND connection_id IN %s",
                (tuple((user, device) for user, device, _ in gone), tuple(connection for _, _, connection in gone)),
            )
        )


def group_by_user(connections: Iterable[Connection]) -> dict[UserId, tuple[Connection, ...]]:
    """Group connections by their user."""
    grouped: dict[UserId, tuple[Connection, ...]] = {}
    for one in connections:
        grouped[one.user_id] = (*grouped.get(one.user_id, ()), one)
    return grouped


def _register(tx: Transaction, new: Connection, replacing: Connection | None) -> Connection | None:
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
    if replacing is None or held.connection_id != replacing.connection_id:
        return held
    tx.execute(
        "UPDATE connections SET session_id = %s, cell_id = %s, connection_id = %s, connected_at_ms = %s,"
        " checked_at_ms = %s WHERE user_id = %s AND device_id = %s",
        (new.session_id, new.cell_id, new.connection_id, at_ms, at_ms, new.user_id, new.device_id),
    )
    return None


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
