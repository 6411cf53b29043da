"""The REST door and im-logic behind it, in one process, over a real database and cache."""

import io
import json
import logging
import uuid
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import pytest

from gateway.http import wiring as http_wiring
from gochat_aws.invoke_channel import InvokeChannel
from gochat_core.clock import SystemClock
from gochat_core.token_signing import parse_token_secret
from gochat_core.tokens import TokenVerifier
from gochat_core.types import CellId, ConnectionId, DeviceId
from gochat_repo.cache import Cache, cache_from
from gochat_repo.connections import Connection, Connections
from gochat_repo.migrate import migrate_from
from gochat_repo.mysql import Database, database_from
from local_stage.services.mysql import MySqlServer
from local_stage.services.redis import RedisCluster
from logic.rpc import wiring
from tests.fakes.connections import InMemoryConnections
from tests.fakes.http_api import HttpAnswer, HttpApi
from tests.fakes.producer import InMemoryProducer
from tests.fakes.token_keys import make_token_secret_json, public_jwks
from tests.fixtures.services import fresh_database

PASSWORD = "correct horse battery"
HTTP_URL = "https://api.example.org"
MEDIA_ENDPOINT = "https://media.s3.us-east-1.amazonaws.com"

# Of nobody: an uncompressed point in base64url.
VAPID_PUBLIC_KEY = "B" + "A" * 86


@dataclass(kw_only=True)
class Rpc:
    """im-logic, and the stores that it stands on."""

    environ: dict[str, str]
    database: Database
    cache: Cache
    connections: Connections
    channel: InvokeChannel
    producer: InMemoryProducer

    def round_trips(self) -> tuple[int, int]:
        """Return how often im-logic has asked the database and the cache so far."""
        return self.database.round_trips, self.cache.round_trips


def logic_environ(mysql: MySqlServer, redis: RedisCluster, database: str, secret: str) -> dict[str, str]:
    """Return the environment that the deployment gives to logic-rpc."""
    return {
        "GOCHAT_STAGE": "test",
        "GOCHAT_MYSQL_HOST": mysql.host,
        "GOCHAT_MYSQL_PORT": str(mysql.port),
        "GOCHAT_MYSQL_USER": mysql.user,
        "GOCHAT_MYSQL_DATABASE": database,
        "GOCHAT_REDIS_HOST": redis.host,
        "GOCHAT_REDIS_PORT": str(redis.port),
        "GOCHAT_TOKEN_PUBLIC_KEYS": public_jwks(parse_token_secret(secret)),
        "GOCHAT_TOKEN_SECRET_ARN": "unused",
        "GOCHAT_VAPID_PUBLIC_KEY": VAPID_PUBLIC_KEY,
        "GOCHAT_REGISTRATIONS_PER_HOUR": "1000000",  # all people of all tests come from one address
        "GOCHAT_MEDIA_ENDPOINT": MEDIA_ENDPOINT,
        "AWS_REGION": "us-east-1",
        "AWS_ACCESS_KEY_ID": "AKIDEXAMPLE",
        "AWS_SECRET_ACCESS_KEY": "secret",
        "GOCHAT_KAFKA_BOOTSTRAP": "127.0.0.1:9",  # nothing here produces
    }


@pytest.fixture(scope="session")
def token_secret() -> str:
    """Draw the keys of this run."""
    return make_token_secret_json()


@pytest.fixture(scope="module")
def rpc(mysql_server: MySqlServer, redis_cluster: RedisCluster, token_secret: str) -> Iterator[Rpc]:
    """Serve a migrated, empty database."""
    with fresh_database(mysql_server, label="accounts") as name:
        environ = logic_environ(mysql_server, redis_cluster, name, token_secret)
        migrate_from(environ)
        yield build_rpc(environ, token_secret)


def build_rpc(environ: dict[str, str], token_secret: str) -> Rpc:
    """Build a server with connections of its own, as another container would."""
    database, cache = database_from(environ), cache_from(environ)
    producer = InMemoryProducer()
    server = wiring.build(
        environ, read_secret=lambda: token_secret, producer=producer, database=database, cache_client=cache
    )
    channel = InvokeChannel(server.handle_payload)
    return Rpc(
        environ=environ,
        database=database,
        cache=cache,
        connections=Connections(database, cache),
        channel=channel,
        producer=producer,
    )


@dataclass(kw_only=True)
class Login:
    """One login of somebody: the tokens that the client holds."""

    answer: Any

    @property
    def token(self) -> str:
        """Return the access token."""
        return str(self.answer["access_token"])

    @property
    def refresh_token(self) -> str:
        """Return the refresh token."""
        return str(self.answer["refresh_token"])


@dataclass(kw_only=True)
class Rest:
    """The REST door with memory for the connections of cells g1 and g2; `rpc` is what stands behind it."""

    api: HttpApi
    connections: InMemoryConnections
    other_cell: InMemoryConnections
    rpc: Rpc
    secret: str

    def name(self, stem: str) -> str:
        """Return a username that no other test has."""
        return f"{stem}-{uuid.uuid4().hex[:12]}"

    def register(self, stem: str) -> Any:
        """Make an account with PASSWORD and return the user."""
        answer = self.api.send("POST", "/auth/register", body={"username": self.name(stem), "password": PASSWORD})
        assert answer.status == 201, answer.text
        return answer.json["user"]

    def try_login(self, username: str, *, device: str = "phone", password: str = PASSWORD) -> HttpAnswer:
        """Log in and return the answer, whatever it is."""
        body = {"username": username, "password": password, "device_id": device, "platform": "ios"}
        return self.api.send("POST", "/auth/login", body=body)

    def login(self, user: Any, *, device: str = "phone", password: str = PASSWORD) -> Login:
        """Log in."""
        answer = self.try_login(user["username"], device=device, password=password)
        assert answer.status == 200, answer.text
        return Login(answer=answer.json)

    def refresh(self, refresh_token: str, *, key: str | None = None) -> HttpAnswer:
        """Refresh and return the answer, whatever it is."""
        headers = {"Idempotency-Key": key} if key else {}
        return self.api.send("POST", "/auth/refresh", body={"refresh_token": refresh_token}, headers=headers)

    def is_accepted(self, login: Login) -> bool:
        """Tell whether the access token still opens a door; fails on anything but 200 and 401."""
        answer = self.api.send("GET", "/users/me", token=login.token)
        assert answer.status in (200, 401), answer.text
        return answer.status == 200

    def connect(
        self, login: Login, *, device: str = "phone", connection_id: str | None = None, cell: str = "g1"
    ) -> str:
        """Register an open connection of a login, as `$connect` does."""
        identity = TokenVerifier(self.rpc.environ["GOCHAT_TOKEN_PUBLIC_KEYS"], SystemClock()).verify_access_token(
            login.token
        )
        connection = Connection(
            user_id=identity.user_id,
            device_id=DeviceId(device),
            session_id=identity.session_id,
            cell_id=CellId(cell),
            connection_id=ConnectionId(connection_id or f"{uuid.uuid4().hex[:12]}="),
            connected_at_ms=SystemClock().now_ms(),
        )
        self.rpc.connections.register(connection)
        return connection.connection_id

    def said_to(self, connection_id: str) -> list[str]:
        """Return the events that were posted to a connection."""
        return [json.loads(frame)["event"] for frame in self.connections.posted[connection_id]]


@pytest.fixture
def rest(rpc: Rpc, token_secret: str) -> Rest:
    """Open the REST door."""
    return build_rest(rpc, token_secret)


def build_rest(rpc: Rpc, token_secret: str) -> Rest:
    """Build a REST door in front of an im-logic."""
    connections, other_cell = InMemoryConnections(), InMemoryConnections()
    settings = http_wiring.Settings(
        stage="test",
        token_public_keys=rpc.environ["GOCHAT_TOKEN_PUBLIC_KEYS"],
        logic_function="unused",
        connections_endpoints="{}",
        websocket_url="wss://example.org/test",
        http_url=HTTP_URL,
    )
    cells = {CellId("g1"): connections, CellId("g2"): other_cell}
    app = http_wiring.build(settings, channel=rpc.channel, connections=cells, clock=SystemClock())
    return Rest(api=HttpApi(app.handle), connections=connections, other_cell=other_cell, rpc=rpc, secret=token_secret)


class Written:
    """What functions wrote to their standard output: lines of the log and of metrics."""

    def __init__(self, stream: io.StringIO, capsys: pytest.CaptureFixture[str]) -> None:
        self._stream = stream
        self._capsys = capsys

    def take(self) -> str:
        """Return what was written since the last time."""
        text = self._stream.getvalue() + "".join(self._capsys.readouterr())
        self._stream.seek(0)
        self._stream.truncate()
        return text

    def lines(self, message: str) -> list[Any]:
        """Take what was written and return the log lines with this message."""
        found = [json.loads(line) for line in self.take().splitlines() if line.startswith("{")]
        return [line for line in found if line.get("message") == message]


@pytest.fixture
def written(rest: Rest, capsys: pytest.CaptureFixture[str]) -> Iterator[Written]:
    """Catch what the functions write; their loggers hold on to the output of the test that made them first."""
    stream = io.StringIO()
    handlers = [
        handler
        for service in ("gateway-http", "logic-rpc")
        for handler in logging.getLogger(service).handlers
        if isinstance(handler, logging.StreamHandler)
    ]
    before = [handler.setStream(stream) for handler in handlers]
    assert handlers
    yield Written(stream, capsys)
    for handler, old in zip(handlers, before, strict=True):
        if old is not None:
            handler.setStream(old)
