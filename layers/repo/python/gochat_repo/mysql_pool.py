"""Connections to MySQL that are kept between invocations: settings, TLS, login and the idle ones of each host."""

import re
import ssl
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Literal

import msgspec
import pymysql

from gochat_repo.mysql_connection import Connection, connect

if TYPE_CHECKING:
    from gochat_aws.store_secret import StoreSecret

Password = Callable[[str], str] | None
"""Makes the password (or token) for a host whenever a session is opened; None: there is none."""

Tls = Callable[[], ssl.SSLContext | None]
"""Gives the one TLS context of a container, made when the first session is opened; None: TLS is off."""

MAX_IDLE_CONNECTIONS = 8

ANSWER_WAIT_S = 1.0
"""How long to wait for the answer to a COMMIT or ROLLBACK that nobody waited for: it came milliseconds after that was
sent, unless the server is gone. What was sent takes effect all the same."""

AMAZON_CA_BUNDLE = Path(__file__).parent / "rds_ca_bundle.pem"
_ROOT = re.compile(r"# Amazon RDS (\S+) Root CA")


class MySqlSettings(msgspec.Struct, frozen=True, kw_only=True):
    """Where MySQL is and how to log in; `iam` and `password` imply TLS with the server's name verified."""

    mysql_host: str
    mysql_user: str
    mysql_database: str
    mysql_reader_host: str | None = None
    mysql_port: int = 3306
    mysql_auth: Literal["none", "iam", "password"] = "none"
    mysql_secret_arn: str | None = None
    """password: the secret of `mysql_user`, as `gochat_aws.store_secret` reads it."""
    mysql_ca_file: str | None = None
    mysql_connect_timeout_s: float = 3.0
    mysql_read_timeout_s: float = 10.0
    mysql_lock_wait_s: int = 5
    mysql_max_idle_s: float = 50.0


class Pool:
    """Idle connections to one host, last used first."""

    def __init__(
        self,
        settings: MySqlSettings,
        host: str,
        password: Password,
        tls: Tls,
    ) -> None:
        self._settings = settings
        self._host = host
        self._password = password
        self._tls = tls
        self._idle: list[tuple[float, Connection]] = []

    def take(self) -> Connection:
        """Return an idle connection that shows no sign of death, or a new one; raises `Unavailable`."""
        while self._idle:
            since, connection = self._idle.pop()
            if time.monotonic() - since < self._settings.mysql_max_idle_s and _usable(connection):
                return connection
            connection.drop()
        database = self._settings.mysql_database
        return open_connection(
            self._settings, host=self._host, database=database, password=self._password, tls=self._tls()
        )

    def give_back(self, connection: Connection) -> None:
        """Keep a connection for the next caller, if it is still open."""
        if connection.open and len(self._idle) < MAX_IDLE_CONNECTIONS:
            self._idle.append((time.monotonic(), connection))
        else:
            connection.drop()

    def clear(self) -> None:
        """Close the idle connections."""
        while self._idle:
            self._idle.pop()[1].drop()


def tls_context(settings: MySqlSettings) -> ssl.SSLContext | None:
    """Build the one TLS context of a container, if TLS is on: PyMySQL would build one for each connection.

    A secret may name a root of its own. RDS Proxy's certificates lead to public roots (Aurora user guide, "Using
    TLS/SSL with RDS Proxy"), Aurora's own to Amazon's RDS roots. Raises `Unavailable` when the secret can't be read.
    """
    if settings.mysql_auth == "none":
        return None
    own = _secret_of(settings).certificate_authority() if settings.mysql_auth == "password" else None
    if own or settings.mysql_ca_file:
        context = ssl.create_default_context(cafile=settings.mysql_ca_file, cadata=own)
    elif _is_public(settings.mysql_host):
        context = ssl.create_default_context()
    else:
        context = ssl.create_default_context(cadata=amazon_roots(settings.mysql_host))
    # Amazon's RDS roots lack the key usage that Python 3.13's default asks for.
    context.verify_flags &= ~ssl.VERIFY_X509_STRICT
    return context


def _is_public(host: str) -> bool:
    """Tell a proxy, and a server that is not RDS's: the RDS roots vouch for neither."""
    labels = host.split(".")
    return "amazonaws" not in labels or any(label.startswith("proxy-") for label in labels[1:])


def amazon_roots(host: str) -> str:
    """Return the roots that sign Aurora's certificates in a host's region; all of them where the region is not known.

    Reading three certificates instead of eighty saves a starting container 10 ms. A region that is younger than the
    bundle needs `mysql_ca_file`.
    """
    bundle = AMAZON_CA_BUNDLE.read_text(encoding="ascii")
    labels = host.split(".")
    sections = bundle.split("\n\n")
    regional = [section for section in sections if (named := _ROOT.match(section)) and named[1] in labels]
    return "\n".join(regional) or bundle


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
    """Return what makes the password of a session: nothing, its secret, or a token signed with the function's role."""
    if settings.mysql_auth == "none":
        return None
    if settings.mysql_auth == "password":
        secret = _secret_of(settings)
        return lambda _host: secret.password()
    from gochat_repo.iam_tokens import mysql_token_maker

    return mysql_token_maker(environ, port=settings.mysql_port, user=settings.mysql_user)


def _secret_of(settings: MySqlSettings) -> "StoreSecret":
    from gochat_aws.store_secret import store_secret

    if not settings.mysql_secret_arn:
        raise ValueError("GOCHAT_MYSQL_AUTH=password needs GOCHAT_MYSQL_SECRET_ARN")
    return store_secret(settings.mysql_secret_arn)


def _usable(connection: Connection) -> bool:
    try:
        if not connection.is_answered(ANSWER_WAIT_S):
            return False
        connection.settle()
    except pymysql.err.Error:
        return False
    return not connection.looks_dead()
