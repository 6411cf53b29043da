"""Connections to the nodes of one Redis cluster, and the map of which node serves which slot."""

import ssl
import time
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

import msgspec
from redis import connection as redis_connection
from redis.credentials import CredentialProvider
from redis.exceptions import RedisError

from gochat_core.errors import Unavailable

if TYPE_CHECKING:
    from gochat_aws.store_secret import StoreSecret

Argument = str | bytes | int | float

SLOTS = 16_384
"""Hash slots of a cluster (Redis cluster specification)."""

MAX_IDLE_CONNECTIONS = 8
MAX_IDLE_S = 60.0
"""An idle connection older than this is not trusted: a frozen container doesn't notice that its peer went away."""

CIRCUIT_OPEN_S = 3.0
"""How long a node that did not answer is left alone: a dead Redis must not cost each request its timeout."""

TOPOLOGY_SOURCES = 3
"""How many nodes are asked for the slot map before giving up."""


class CacheUnavailable(Unavailable):
    """Redis did not answer. It is a cache: the caller goes on with MySQL."""


class RedisSettings(msgspec.Struct, frozen=True, kw_only=True):
    """Where Redis is (any node of the cluster) and how to log in; `iam` and `password` imply TLS."""

    redis_host: str
    redis_port: int = 6379
    redis_auth: Literal["none", "iam", "password"] = "none"
    redis_user: str | None = None
    redis_cache_name: str | None = None
    redis_secret_arn: str | None = None
    """password: the secret of `redis_user`, as `gochat_aws.store_secret` reads it."""
    redis_connect_timeout_s: float = 0.3
    redis_read_timeout_s: float = 0.5


@dataclass(frozen=True, slots=True, order=True)
class Node:
    """Address of one node."""

    host: str
    port: int


class _Login(CredentialProvider):
    """Asks for the user's token whenever a connection is opened: a token lives 15 minutes, a connection 12 hours."""

    def __init__(self, user: str, password: Callable[[], str]) -> None:
        self._user = user
        self._password = password

    def get_credentials(self) -> tuple[str, str]:
        return self._user, self._password()


class _TlsConnection(redis_connection.Connection):
    """A connection wrapped by one prebuilt TLS context: redis-py's own reads the CA bundle on every connect."""

    def __init__(self, *, tls: ssl.SSLContext, **options: Any) -> None:
        self._tls = tls
        super().__init__(**options)  # type: ignore[no-untyped-call]

    def _connect(self) -> Any:
        return self._tls.wrap_socket(super()._connect(), server_hostname=self.host)  # type: ignore[no-untyped-call]


class Connection:
    """One connection of redis-py, as far as this client uses it, with types."""

    def __init__(self, wire: Any) -> None:
        self._wire = wire
        self.read: Callable[[], Any] = wire.read_response

    def connect(self) -> None:
        """Open the socket and log in."""
        self._wire.connect()

    def send(self, commands: Sequence[tuple[Argument, ...]]) -> None:
        """Write commands without waiting; their replies are `read` one by one."""
        self._wire.send_packed_command(self._wire.pack_commands(commands), check_health=False)

    def is_quiet(self) -> bool:
        """Tell without a round trip that the server has not hung up and no reply was left unread."""
        try:
            return not self._wire.can_read(timeout=0)
        except (RedisError, OSError):
            return False

    def drop(self) -> None:
        """Close the socket."""
        self._wire.disconnect()


class Nodes:
    """Idle connections by node, and a circuit for each node."""

    def __init__(self, settings: RedisSettings, password: Callable[[], str] | None) -> None:
        self._settings = settings
        self._tls: ssl.SSLContext | None = None
        self._login = _Login(settings.redis_user or "default", password) if password else None
        self._idle: dict[Node, list[tuple[float, Connection]]] = {}
        self._closed_until: dict[Node, float] = {}

    def take(self, node: Node) -> tuple[Connection, bool]:
        """Return a connection and whether it is new; raises `CacheUnavailable`, at once while the circuit is open."""
        if time.monotonic() < self._closed_until.get(node, 0.0):
            raise CacheUnavailable
        idle = self._idle.get(node)
        while idle:
            since, connection = idle.pop()
            if time.monotonic() - since < MAX_IDLE_S and connection.is_quiet():
                return connection, False
            connection.drop()
        try:
            connection = self._new(node)
            connection.connect()
        except (RedisError, OSError, Unavailable) as fault:
            self.break_circuit(node)
            raise CacheUnavailable from fault
        return connection, True

    def give_back(self, node: Node, connection: Connection) -> None:
        """Keep a connection whose every reply was read."""
        idle = self._idle.setdefault(node, [])
        if len(idle) < MAX_IDLE_CONNECTIONS:
            idle.append((time.monotonic(), connection))
        else:
            connection.drop()

    def drop_idle(self, node: Node) -> None:
        """Forget the idle connections of a node, one of which had died."""
        for _, connection in self._idle.pop(node, []):
            connection.drop()

    def break_circuit(self, node: Node) -> None:
        """Don't ask this node for a while."""
        self.drop_idle(node)
        self._closed_until[node] = time.monotonic() + CIRCUIT_OPEN_S

    def close(self) -> None:
        """Close every idle connection."""
        for node in list(self._idle):
            self.drop_idle(node)

    def _new(self, node: Node) -> Connection:
        options: dict[str, Any] = {
            "host": node.host,
            "port": node.port,
            "socket_connect_timeout": self._settings.redis_connect_timeout_s,
            "socket_timeout": self._settings.redis_read_timeout_s,
            # RESP2 without CLIENT SETINFO: a connection is usable without a round trip (or after one, with a login).
            "protocol": 2,
            "driver_info": None,
            "credential_provider": self._login,
        }
        if self._settings.redis_auth == "none":
            kind: Any = redis_connection.Connection
            return Connection(kind(**options))
        if self._tls is None:
            self._tls = _tls_context(self._settings)
        return Connection(_TlsConnection(tls=self._tls, **options))


class Topology:
    """Which node serves a slot; learnt from any node that answers, again when a reply shows that it is out of date."""

    def __init__(self, seed: Node, nodes: Nodes) -> None:
        self._seed = seed
        self._nodes = nodes
        self._owners: list[Node] = []

    @property
    def known(self) -> bool:
        """Whether a slot map was ever learnt."""
        return bool(self._owners)

    def owner(self, slot: int) -> Node:
        """Return the node that serves a slot, as far as is known."""
        return self._owners[slot]

    def move(self, slot: int, node: Node) -> None:
        """Believe a MOVED reply, which is newer than any map."""
        self._owners[slot] = node

    def learn(self, avoid: Collection[Node] = ()) -> None:
        """Ask for the slot map; one round trip. Raises `CacheUnavailable` when none of the nodes tells it."""
        sources = [node for node in dict.fromkeys([*sorted(set(self._owners)), self._seed]) if node not in avoid]
        for node in sources[:TOPOLOGY_SOURCES]:
            try:
                connection, _ = self._nodes.take(node)
            except CacheUnavailable:
                continue
            try:
                connection.send([("CLUSTER", "SLOTS")])
                ranges = connection.read()
            except (RedisError, OSError):
                connection.drop()
                continue
            self._nodes.give_back(node, connection)
            owners = _owners(ranges, asked=node)
            if len(owners) == SLOTS:
                self._owners = owners
                return
        raise CacheUnavailable


def _owners(ranges: Sequence[Any], *, asked: Node) -> list[Node]:
    """Spread the reply of CLUSTER SLOTS over a list by slot; shorter than `SLOTS` when slots are not served.

    An empty or unknown host means: the address that was asked (Redis documentation, "CLUSTER SLOTS").
    """
    owners: dict[int, Node] = {}
    for first, last, primary, *_ in ranges:
        host = (primary[0] or b"").decode()
        node = Node(asked.host if host in ("", "?") else host, int(primary[1]))
        owners.update(dict.fromkeys(range(first, last + 1), node))
    return [owners[slot] for slot in sorted(owners)]


def redis_password(settings: RedisSettings, environ: Mapping[str, str]) -> Callable[[], str] | None:
    """Return what makes the password of a new connection, or None where there is none."""
    if settings.redis_auth == "none":
        return None
    if settings.redis_auth == "password":
        return _secret_of(settings).password
    from gochat_repo.iam_tokens import cache_token_maker

    return cache_token_maker(environ, cache_name=settings.redis_cache_name or "", user=settings.redis_user or "")


def _tls_context(settings: RedisSettings) -> ssl.SSLContext:
    own = _secret_of(settings).certificate_authority() if settings.redis_auth == "password" else None
    return ssl.create_default_context(cadata=own)


def _secret_of(settings: RedisSettings) -> "StoreSecret":
    from gochat_aws.store_secret import store_secret

    if not settings.redis_secret_arn:
        raise ValueError("GOCHAT_REDIS_AUTH=password needs GOCHAT_REDIS_SECRET_ARN")
    return store_secret(settings.redis_secret_arn)
