"""What a MySQL error means for the caller: run again, try later, this data can't be stored, or a fault of ours."""

from pymysql import err

from gochat_core.errors import Unavailable

LOST_CONNECTION = frozenset({
    1053,  # ER_SERVER_SHUTDOWN
    1152, 1153, 1158, 1159, 1160, 1161, 1184,  # ER_ABORTING_CONNECTION, ER_NET_PACKET_TOO_LARGE, ER_NET_*
    1290, 1836,  # read-only: the writer that this connection knew has become a reader
    1317, 1927,  # ER_QUERY_INTERRUPTED, ER_CONNECTION_KILLED (MariaDB)
    2006, 2013, 2055, 4031,  # CR_SERVER_GONE_ERROR, CR_SERVER_LOST, ER_CLIENT_INTERACTION_TIMEOUT
})  # fmt: skip
"""Errors after which the connection is of no use and, before COMMIT, nothing of the transaction remains."""

LOCK_CONFLICT = frozenset({1205, 1213})
"""ER_LOCK_WAIT_TIMEOUT and ER_LOCK_DEADLOCK: the transaction lost against another one and may be run again."""

OUT_OF_ORDER = frozenset({
    1021, 1030, 1037, 1041, 1114,  # disk full, storage engine, out of memory, table full
    1040, 1043, 1044, 1045, 1049, 1129, 1130, 1203, 1226, 1251,  # connecting: too many, access, no such database yet
    1969, 3024,  # the statement took longer than the server allows
    2002, 2003, 2005, 2026,  # CR_CONNECTION_ERROR, CR_CONN_HOST_ERROR, CR_UNKNOWN_HOST, CR_SSL_CONNECTION_ERROR
})  # fmt: skip
"""Errors that say nothing about the statement: the server is in no state to run it."""

DUPLICATE_KEY = 1062

BAD_DATA = frozenset({
    1048, 1062, 1264, 1265, 1292, 1300, 1364, 1366, 1406, 1416, 1451, 1452, 1690, 3140, 3141, 3819, 4025,
})  # fmt: skip
"""Errors of one row's values: null, out of range, too long, bad characters, bad JSON, duplicate, constraint."""


class ConnectionLost(Unavailable):
    """The connection broke before COMMIT was sent: nothing was stored, the same work may run on another one."""


class LockConflict(Unavailable):
    """Another transaction held the rows, or the two waited for each other: nothing was stored."""


class StatementFailed(Exception):
    """A statement that will fail again: a fault of ours, unless it is a `DataFault`. `errno` is MySQL's number."""

    def __init__(self, errno: int, message: str) -> None:
        super().__init__(errno, message)
        self.errno = errno


class DataFault(StatementFailed):
    """One of the values can't be stored; the other rows of the statement could have been."""


class DuplicateKey(DataFault):
    """A row with this unique key is there already."""


def translate(fault: err.Error) -> Exception:
    """Return the exception that the caller of the repo layer gets for one of PyMySQL's."""
    if _waited_in_vain(fault):
        return Unavailable("The database took too long")
    errno = fault.args[0] if fault.args and isinstance(fault.args[0], int) else 0
    message = str(fault.args[1]) if len(fault.args) > 1 else str(fault)
    if errno in LOST_CONNECTION or isinstance(fault, err.InterfaceError):
        return ConnectionLost()
    if errno in LOCK_CONFLICT:
        return LockConflict()
    if errno in OUT_OF_ORDER:
        return Unavailable()
    if errno == DUPLICATE_KEY:
        return DuplicateKey(errno, message)
    if errno in BAD_DATA or isinstance(fault, err.DataError):
        return DataFault(errno, message)
    return StatementFailed(errno, message)


def _waited_in_vain(fault: err.Error) -> bool:
    """Whether our own time limit ran out: asking again would only take as long again.

    A peer that vanished is another case: the kernel gives up on it (`UNACKNOWLEDGED_MS`), with an errno.
    """
    cause = fault.__context__
    return isinstance(cause, TimeoutError) and cause.errno is None
