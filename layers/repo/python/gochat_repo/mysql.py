"""MySQL for the repo layer: transactions that are run again when they lose a race, reads, counted round trips."""

import random
import ssl
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, Literal, TypeVar

import msgspec
import pymysql

from gochat_core.errors import Unavailable
from gochat_core.settings import read_settings
from gochat_repo.mysql_connection import Connection, connect
from gochat_repo.mysql_errors import ConnectionLost, LockConflict, translate

T = TypeVar("T")
Row = tuple[Any, ...]
Params = Sequence[object]
Password = Callable[[str], str] | None
"""Makes the password (or token) for a host whenever a session is opened; None: there is none."""

CONFLICT_RERUNS = 5
"""How often a transaction that lost against another one runs again before the caller hears `Unavailable`."""

LOST_RERUNS = 2
"""How often work runs again on a new connection when the old one had died; a server that is away fails on connect."""

MAX_IDLE_CONNECTIONS = 8

AMAZON_CA_BUNDLE = Path(__file__).parent / "rds_ca_bundle.pem"


class MySqlSettings(msgspec.Struct, frozen=True, kw_only=True):
    """Where MySQL is and how to log in; `iam` implies TLS with the server's name verified."""

    mysql_host: str
    mysql_user: str
    mysql_database: str
    mysql_reader_host: str | None = None
    mysql_port: int = 3306
    mysql_auth: Literal["none", "iam"] = "none"
    mysql_ca_file: str | None = None
    mysql_connect_timeout_s: float = 3.0
    mysql_read_timeout_s: float = 10.0
    mysql_lock_wait_s: int = 5
    mysql_max_idle_s: float = 50.0


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
            cursor.execute(sql, tuple(params) or None)
        except pymysql.err.Error as fault:
            raise translate(fault) from fault


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
        tls = tls_context(settings)
        self._writer = _Pool(settings, settings.mysql_host, password, tls)
        self._reader = _Pool(settings, settings.mysql_reader_host or settings.mysql_host, password, tls)

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

    def close(self) -> None:
        """Close the idle connections."""
        self._writer.clear()
        self._reader.clear()

    def _run(
        self, pool: "_Pool", work: Callable[[Transaction], T], finish: Callable[[Connection, Transaction], None]
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
        self, pool: "_Pool", work: Callable[[Transaction], T], finish: Callable[[Connection, Transaction], None]
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
            connection.send_rollback()
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


class _Pool:
    """Idle connections to one host, last used first."""

    def __init__(
        self,
        settings: MySqlSettings,
        host: str,
        password: Password,
        tls: ssl.SSLContext | None,
    ) -> None:
        self._settings = settings
        self._host = host
        self._password = password
        self._tls = tls
        self._idle: list[tuple[float, Connection]] = []

    def take(self) -> Connection:
        while self._idle:
            since, connection = self._idle.pop()
            if time.monotonic() - since < self._settings.mysql_max_idle_s and _usable(connection):
                return connection
            connection.drop()
        database = self._settings.mysql_database
        return open_connection(
            self._settings, host=self._host, database=database, password=self._password, tls=self._tls
        )

    def give_back(self, connection: Connection) -> None:
        if connection.open and len(self._idle) < MAX_IDLE_CONNECTIONS:
            self._idle.append((time.monotonic(), connection))
        else:
            connection.drop()

    def clear(self) -> None:
        while self._idle:
            self._idle.pop()[1].drop()


def _usable(connection: Connection) -> bool:
    try:
        connection.settle()
    except pymysql.err.Error:
        return False
    return not connection.looks_dead()


def _release(connection: Connection, transaction: Transaction) -> None:
    """End a read's transaction without waiting; a read that wrote is a fault of ours, and is not kept."""
    assert not transaction.wrote, "read() does not write"
    connection.send_rollback()


def _abandon(connection: Connection) -> None:
    try:
        if connection.open:
            connection.send_rollback()
    except pymysql.err.Error:
        connection.drop()


def tls_context(settings: MySqlSettings) -> ssl.SSLContext | None:
    """Build the one TLS context of a container, if TLS is on: reading a CA bundle takes up to 100 ms."""
    if settings.mysql_auth == "none":
        return None
    file = settings.mysql_ca_file or (str(AMAZON_CA_BUNDLE) if AMAZON_CA_BUNDLE.exists() else None)
    context = ssl.create_default_context(cafile=file)
    # Amazon's RDS roots lack the key usage that Python 3.13's default asks for.
    context.verify_flags &= ~ssl.VERIFY_X509_STRICT
    return context


def open_connection(
    settings: MySqlSettings,
    *,
    password: Password,
    database: str | None,
    tls: ssl.SSLContext | None,
    host: str | None = None,
    read_timeout_s: float | None = None,
) -> Connection:
    """Open one session, on the writer unless told otherwise; raises `Unavailable`."""
    host = host or settings.mysql_host
    return connect(
        host=host,
        port=settings.mysql_port,
        user=settings.mysql_user,
        password=password(host) if password else "",
        database=database,
        tls=tls,
        connect_timeout_s=settings.mysql_connect_timeout_s,
        read_timeout_s=read_timeout_s or settings.mysql_read_timeout_s,
        lock_wait_s=settings.mysql_lock_wait_s,
    )


def password_from(settings: MySqlSettings, environ: Mapping[str, str]) -> Password:
    """Return what makes the password of a session: nothing, or an IAM token signed with the function's role."""
    if settings.mysql_auth == "none":
        return None
    from gochat_repo.iam_tokens import mysql_token_maker

    return mysql_token_maker(environ, port=settings.mysql_port, user=settings.mysql_user)


def database_from(environ: Mapping[str, str]) -> Database:
    """Build the database of one container from its environment; nothing is connected yet."""
    settings = read_settings(MySqlSettings, environ)
    return Database(settings, password=password_from(settings, environ))
