"""im-logic's gRPC side over a real database and cache, called in process through the very envelope of Lambda Invoke."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import grpc
import pytest

from gochat_aws.invoke_channel import InvokeChannel
from gochat_contracts.error_metadata import ERROR_KEY, decode_error
from gochat_contracts.logic import auth_pb2, auth_pb2_grpc, users_pb2_grpc
from gochat_core.errors import GochatError
from gochat_core.token_signing import parse_token_secret
from gochat_repo.migrate import migrate_from
from gochat_repo.mysql import Database, database_from
from local_stage.services.mysql import MySqlServer
from local_stage.services.redis import RedisCluster
from logic.rpc import wiring
from tests.fakes.token_keys import make_token_secret_json, public_jwks
from tests.fixtures.services import fresh_database

PASSWORD = "correct horse battery"


@dataclass(kw_only=True)
class Rpc:
    """The stubs of im-logic; `call` raises the error that the caller is told."""

    environ: dict[str, str]
    database: Database
    auth: auth_pb2_grpc.AuthServiceStub
    users: users_pb2_grpc.UserServiceStub
    names: list[str] = field(default_factory=list)

    def call(self, method: Any, request: Any, *, token: str | None = None) -> Any:
        """Call a method, with a bearer token if there is one."""
        metadata = [("x-request-id", "request-1")] + ([("authorization", f"Bearer {token}")] if token else [])
        try:
            return method(request, timeout=20, metadata=metadata)
        except grpc.RpcError as fault:
            assert isinstance(fault, grpc.Call)
            told = dict(fault.trailing_metadata() or ())
            raise decode_error(told[ERROR_KEY]) from None  # type: ignore[arg-type]

    def register(self, username: str) -> Any:
        """Make an account with PASSWORD and return its profile."""
        request = auth_pb2.RegisterRequest(username=username, password=PASSWORD, source_ip="192.0.2.1")
        return self.call(self.auth.Register, request).user

    def login(self, username: str, *, device: str = "phone", password: str = PASSWORD) -> Any:
        """Open a session and return its pair of tokens."""
        request = auth_pb2.AuthenticateRequest(
            username=username, password=password, device_id=device, platform="ios"
        )
        return self.call(self.auth.Authenticate, request)

    def refusal(self, method: Any, request: Any, *, token: str | None = None) -> GochatError:
        """Return the error that a call is refused with."""
        with pytest.raises(GochatError) as raised:
            self.call(method, request, token=token)
        return raised.value


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
        "GOCHAT_KAFKA_BOOTSTRAP": "127.0.0.1:9",
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
    channel = InvokeChannel(wiring.build(environ, read_secret=lambda: token_secret).handle_payload)
    return Rpc(
        environ=environ,
        database=database_from(environ),
        auth=auth_pb2_grpc.AuthServiceStub(channel),
        users=users_pb2_grpc.UserServiceStub(channel),
    )
