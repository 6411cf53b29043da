"""One connection to MySQL that survives a frozen container: cheap signs of death, and a rollback nobody waits for."""

import select
import socket
import ssl
from typing import TYPE_CHECKING, Any

import pymysql
from pymysql.constants import COMMAND
from pymysql.cursors import Cursor

from gochat_core.errors import Unavailable

UNACKNOWLEDGED_MS = 3_000
"""TCP_USER_TIMEOUT: bytes that a vanished peer never acknowledges break the connection after this time, not after the
read timeout; how long a query itself may take is not touched by it (RFC 5482)."""

AURORA_RESUMES_MS = 20_000
"""How long a client is asked to wait when Aurora can't be reached: a paused one takes about 15 s to resume (Aurora user
guide, "Scaling to Zero ACUs with automatic pause and resume")."""

_SESSION_ISOLATION = "SET SESSION TRANSACTION ISOLATION LEVEL READ COMMITTED"
_SESSION_VARIABLES = (
    "SET autocommit = 0, time_zone = '+00:00', innodb_lock_wait_timeout = %s, sql_mode ="
    " 'ONLY_FULL_GROUP_BY,STRICT_TRANS_TABLES,NO_ZERO_IN_DATE,NO_ZERO_DATE,ERROR_FOR_DIVISION_BY_ZERO,"
    "NO_ENGINE_SUBSTITUTION'"
)


if TYPE_CHECKING:
    _Base = pymysql.connections.Connection[Cursor]  # generic in the stubs only
else:
    _Base = pymysql.connections.Connection


class Connection(_Base):
    """PyMySQL's connection; uses six of its private names, which `test_connection_internals` pins."""

    _answer_owed = False

    def connect(self, sock: socket.socket | None = None) -> None:
        """Connect and prepare the session; a dead peer is noticed within `UNACKNOWLEDGED_MS` where the OS can."""
        super().connect(sock)
        option = getattr(socket, "TCP_USER_TIMEOUT", None)
        if option is not None:
            self._tcp().setsockopt(socket.IPPROTO_TCP, option, UNACKNOWLEDGED_MS)

    def send(self, statement: str) -> None:
        """Send one statement without waiting for its answer, which `settle` reads before the next one is sent.

        Never two unanswered ones at once: Aurora does not take pipelined statements.
        """
        assert not self._answer_owed
        self._execute_command(COMMAND.COM_QUERY, statement)  # type: ignore[attr-defined]
        self._answer_owed = True

    def settle(self) -> None:
        """Read the answer that `send` left behind; it mostly came long ago, so this costs no round trip."""
        if self._answer_owed:
            self._answer_owed = False
            self._read_query_result()  # type: ignore[attr-defined]

    def is_answered(self, within_s: float) -> bool:
        """Tell whether the answer that `settle` will read has come, or comes in time."""
        if not self.open:
            return False
        if not self._answer_owed:
            return True
        readable, _, _ = select.select([self._tcp()], [], [], within_s)
        return bool(readable)

    def looks_dead(self) -> bool:
        """Tell without a round trip whether the server hung up: nobody speaks to us when nothing was asked."""
        if not self.open:
            return True
        readable, _, _ = select.select([self._tcp()], [], [], 0)
        return bool(readable)

    def allow(self, read_timeout_s: float) -> None:
        """Let a statement take this long."""
        self._read_timeout = read_timeout_s

    def drop(self) -> None:
        """Close the socket without a farewell; does nothing when it is closed already."""
        self._force_close()  # type: ignore[attr-defined]

    def _tcp(self) -> socket.socket:
        held: Any = self._sock  # type: ignore[attr-defined]
        assert isinstance(held, socket.socket)
        return held


def connect(
    *,
    host: str,
    port: int,
    user: str,
    password: str,
    database: str | None,
    tls: ssl.SSLContext | None,
    connect_timeout_s: float,
    read_timeout_s: float,
    lock_wait_s: int,
) -> Connection:
    """Open a session: READ COMMITTED, autocommit off, UTC, strict.

    Raises `Unavailable` when the server can't be reached or refuses. `tls` is one prebuilt context: PyMySQL would
    otherwise read the CA bundle on every connect.
    """
    connection: Connection | None = None
    try:
        connection = Connection(
            host=host,
            port=port,
            user=user,
            password=password,
            database=database,
            charset="utf8mb4",
            collation="utf8mb4_bin",
            init_command=_SESSION_ISOLATION,
            autocommit=None,
            connect_timeout=connect_timeout_s,
            # A server that accepts and then says nothing is away: a handshake must not take as long as a statement.
            read_timeout=connect_timeout_s,
            write_timeout=read_timeout_s,
            ssl=tls,
            ssl_disabled=tls is None,
        )
        with connection.cursor() as cursor:
            cursor.execute(_SESSION_VARIABLES, (lock_wait_s,))
    except pymysql.err.Error as fault:
        if connection is not None:
            connection.drop()
        raise Unavailable(retry_after_ms=None if tls is None else AURORA_RESUMES_MS) from fault
    connection.allow(read_timeout_s)
    return connection
