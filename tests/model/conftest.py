"""A database, a cache and the environment of the functions, for walks."""

from collections.abc import Iterator, Mapping

import pytest

from gochat_core.token_signing import parse_token_secret
from gochat_repo.migrate import migrate_from
from local_stage.services.mysql import MySqlServer
from local_stage.services.redis import RedisCluster
from tests.fakes.token_keys import make_token_secret_json, public_jwks
from tests.fixtures.services import fresh_database


@pytest.fixture(scope="module")
def secret() -> str:
    """Draw the keys of this run."""
    return make_token_secret_json()


@pytest.fixture(scope="module")
def environ(mysql_server: MySqlServer, redis_cluster: RedisCluster, secret: str) -> Iterator[Mapping[str, str]]:
    """Migrate a database and give the functions the environment that names it; nothing limits how fast people are."""
    with fresh_database(mysql_server, label="model") as name, pytest.MonkeyPatch.context() as patch:
        environ = {
            "AWS_REGION": "eu-west-1",
            "POWERTOOLS_METRICS_DISABLED": "true",
            "GOCHAT_STAGE": "test",
            "GOCHAT_CELL_ID": "g1",
            "GOCHAT_LOG_LEVEL": "CRITICAL",
            "GOCHAT_KAFKA_BOOTSTRAP": "in memory",
            "GOCHAT_MYSQL_HOST": mysql_server.host,
            "GOCHAT_MYSQL_PORT": str(mysql_server.port),
            "GOCHAT_MYSQL_USER": mysql_server.user,
            "GOCHAT_MYSQL_DATABASE": name,
            "GOCHAT_REDIS_HOST": redis_cluster.host,
            "GOCHAT_REDIS_PORT": str(redis_cluster.port),
            "GOCHAT_PARTIAL_BATCH": "true",
            "GOCHAT_FRAMES_PER_S": "100000",
            "GOCHAT_FRAMES_BURST": "100000",
            "GOCHAT_CONVERSATION_MESSAGES_PER_S": "100000",
            "GOCHAT_TOKEN_PUBLIC_KEYS": public_jwks(parse_token_secret(secret)),
            "GOCHAT_TOKEN_SECRET_ARN": "in memory",
            "GOCHAT_VAPID_PUBLIC_KEY": "in memory",
            "GOCHAT_LOGIC_FUNCTION": "logic-rpc",
            "GOCHAT_REPO_FUNCTION": "repo-rpc",
            "GOCHAT_WORKER_FUNCTION": "task-worker",
            "GOCHAT_WEBSOCKET_FUNCTION": "gateway-websocket",
            "GOCHAT_CONNECTIONS_ENDPOINT": "https://in-memory.example/local",
            "GOCHAT_CONNECTIONS_ENDPOINTS": '{"g1": "https://in-memory.example/local"}',
            "GOCHAT_WEBSOCKET_URL": "wss://in-memory.example/local",
            "GOCHAT_HTTP_URL": "https://in-memory.example",
            "GOCHAT_MEDIA_ENDPOINT": "https://media.example",
        }
        for name_, value in environ.items():
            patch.setenv(name_, value)
        migrate_from(environ)
        yield environ
