"""MySQL for the repo layer: transactions that are run again when they lose a race, reads, counted round trips."""

import random
import time
from collections.abc import Callable, Mapping, Sequence
from functools import cache
from typing import Any, TypeVar

import pymysql

from gochat_core.errors import Unavailable
from gochat_core.settings import read_settings
from gochat_repo.mysql_connection import Connection
from gochat_repo.mysql_errors import ConnectionLost, LockConflict, translate
from gochat_repo.mysql_literals import bind
from gochat_repo.mysql_pool import MySqlSettings, Password, Pool, password_from, tls_context

T = TypeVar("T")
Row = tuple[Any, ...]
Params = Sequence[object]

CONFLICT_RERUNS = 5
"""How often a transaction that lost against another one runs again before the caller hears `Unavailable`."""

LOST_RERUNS = 2
"""How often work runs again on a new connection when the old one had died; a server that is away fails on connect."""


class Transaction:
    """What `work` speaks to; valid only while it runs. Every call is one round trip.

    Values are always bound: `%s` takes a scalar, or a tuple where SQL wants a list (`id IN %s`, `(a, b) IN %s` with a
    tuple of tuples; an empty one is bad SQL).
    """

    def __init__(self, connection: Connection, count: Callable[[], None]) -> None:
        self._connection = connection
        self._count = count
        self.wrote = False

    def query(self, sql: str, params: Params = ()) -> list[Row]:
        """Return the rows of one statement."""
        with self._connection.cursor() as cursor:
            self._run(cursor, sql, params)
            return list(cursor.fetchall())

    def execute(self, sql: str, params: Params = ()) -> int:
        """Run one writing statement and return how many rows it changed (a row that ON DUPLICATE changed counts 2)."""
        self.wrote = True
        with self._connection.cursor() as cursor:
            self._run(cursor, sql, params)
            return int(cursor.rowcount)

    def execute_rows(self, head: str, rows: Sequence[Row], tail: str = "") -> int:
        """Run one statement over many rows: `head` ends in VALUES, `tail` may be an ON DUPLICATE KEY UPDATE clause."""
        return self.execute(f"{head} {','.join(['%s'] * len(rows))} {tail}", rows)

    def _run(self, cursor: pymysql.cursors.Cursor, sql: str, params: Params) -> None:
        self._count()
        try:
            cursor.execute(bind(sql, params))
        except pymysql.err.Error as fault:
            raise translate(fault) from fault


class DeferredWrite:
    """One statement that was sent and whose answer nobody has waited for yet; ends with `commit` or `abandon`."""

    def __init__(self, pool: Pool, connection: Connection) -> None:
        self._pool = pool
        self._connection = connection

    def commit(self) -> None:
        """Commit without waiting; nothing is told of a failure, so use it for what may as well be done later."""
        self._end("COMMIT")

    def abandon(self) -> None:
        """Roll back without waiting."""
        self._end("ROLLBACK")

    def _end(self, statement: str) -> None:
        try:
            self._connection.settle()
            self._connection.send(statement)
        except pymysql.err.Error:
            self._connection.drop()
        self._pool.give_back(self._connection)


class Database:
    """The writer and the reader of one database, with connections that are kept between invocations.

    Safe for use by several threads: each piece of work has a connection of its own.
    """

    def __init__(
        self,
        settings: MySqlSettings,
        *,
        password: Password = None,
        pause: Callable[[float], None] = time.sleep,
    ) -> None:
        """Connect on first use."""
        self.round_trips = 0
        self._pause = pause
        tls = cache(lambda: tls_context(settings))
        self._writer = Pool(settings, settings.mysql_host, password, tls)
        self._reader = Pool(settings, settings.mysql_reader_host or settings.mysql_host, password, tls)

    def transaction(self, work: Callable[[Transaction], T]) -> T:
        """Run `work` in one transaction on the writer and commit it.

        `work` may run several times (deadlock, lock wait timeout, a connection that had died while the container was
        frozen), so it must keep its effects in the database or in what it returns. Raises `Unavailable` when MySQL
        can't be reached, the reruns are used up, or the outcome of COMMIT is unknown; `DataFault` and `StatementFailed`
        for what would fail again; whatever `work` raises rolls back. A transaction that wrote nothing is not committed.
        """
        return self._run(self._writer, work, self._commit)

    def read(self, work: Callable[[Transaction], T]) -> T:
        """Run reads on the writer: they see everything that was ever answered. No transaction stays open."""
        return self._run(self._writer, work, _release)

    def read_replica(self, work: Callable[[Transaction], T]) -> T:
        """Run reads on a reader, which may lag behind the writer."""
        return self._run(self._reader, work, _release)

    def write_deferred(self, sql: str, params: Params) -> DeferredWrite:
        """Send one writing statement on the writer without waiting; raises `Unavailable`.

        It shares its round trip with whatever the caller waits for next, and is counted as one all the same.
        """
        connection = self._writer.take()
        try:
            connection.send(bind(sql, params))
        except pymysql.err.Error as fault:
            connection.drop()
            raise Unavailable from fault
        self._count()
        return DeferredWrite(self._writer, connection)

    def close(self) -> None:
        """Close the idle connections."""
        self._writer.clear()
        self._reader.clear()

    def _run(
        self, pool: Pool, work: Callable[[Transaction], T], finish: Callable[[Connection, Transaction], None]
    ) -> T:
        conflicts = losses = 0
        while True:
            try:
                return self._run_once(pool, work, finish)
            except LockConflict:
                conflicts += 1
                if conflicts > CONFLICT_RERUNS:
                    raise
                # Two that deadlocked must not meet again at the same instant.
                self._pause(random.uniform(0.001, 0.01 * 2**conflicts))  # noqa: S311 - jitter
            except ConnectionLost:
                losses += 1
                if losses > LOST_RERUNS:
                    raise
                pool.clear()

    def _run_once(
        self, pool: Pool, work: Callable[[Transaction], T], finish: Callable[[Connection, Transaction], None]
    ) -> T:
        connection = pool.take()
        transaction = Transaction(connection, self._count)
        try:
            result = work(transaction)
            finish(connection, transaction)
        except ConnectionLost:
            connection.drop()
            raise
        except BaseException:
            _abandon(connection)
            pool.give_back(connection)
            raise
        pool.give_back(connection)
        return result

    def _commit(self, connection: Connection, transaction: Transaction) -> None:
        if not transaction.wrote:
            connection.send("ROLLBACK")
            return
        self._count()
        try:
            connection.commit()
        except pymysql.err.Error as fault:
            meaning = translate(fault)
            if isinstance(meaning, ConnectionLost):
                connection.drop()
                raise Unavailable(
                    "It is not known whether the change was stored; the request may be repeated"
                ) from fault
            raise meaning from fault

    def _count(self) -> None:
        self.round_trips += 1


def _release(connection: Connection, transaction: Transaction) -> None:
    """End a read's transaction without waiting; a read that wrote is a fault of ours, and is not kept."""
    assert not transaction.wrote, "read() does not write"
    connection.send("ROLLBACK")


def _abandon(connection: Connection) -> None:
    try:
        if connection.open:
            connection.send("ROLLBACK")
    except pymysql.err.Error:
        connection.drop()


def values_table(columns: Sequence[str], rows: int) -> str:
    """Return a SELECT of so many rows of bound values, to be joined with: `UPDATE (<this>) v JOIN ...`.

    A UNION, because MySQL writes `VALUES ROW(...)` and MariaDB does not.
    """
    first = ", ".join(f"%s AS {column}" for column in columns)
    others = ", ".join(["%s"] * len(columns))
    return f"SELECT {first}" + f" UNION ALL SELECT {others}" * (rows - 1)


def database_from(environ: Mapping[str, str]) -> Database:
    """Build the database of one container from its environment; nothing is connected yet."""
    settings = read_settings(MySqlSettings, environ)
    return Database(settings, password=password_from(settings, environ))
