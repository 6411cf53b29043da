import grpc
import pytest

from gochat_aws.invoke_channel import InvokeChannel
from gochat_aws.rpc_errors import error_of
from gochat_contracts.repo import repo_pb2, repo_pb2_grpc
from gochat_core.errors import GochatError, InvalidRequest, UserNotFound
from gochat_core.types import CellId, ConnectionId, DeviceId, SessionId, UserId
from gochat_repo.cache import Cache, command
from gochat_repo.connections import Connection, Connections
from gochat_repo.mysql import Database
from gochat_repo.mysql_pool import MySqlSettings
from gochat_repo.read_through import ReadThrough
from gochat_repo.users import User, UserStore
from local_stage.services.redis import RedisCluster
from repo.rpc import wiring
from tests.integration.repo.conftest import redis_settings

ALICE = User(
    user_id=UserId(7_000_000_000_000_000_001),
    username="alice",
    display_name="Alice",
    avatar_url=None,
    created_at_ms=1_795_413_600_123,
)


@pytest.fixture
def cache(redis_cluster: RedisCluster) -> Cache:
    return Cache(redis_settings(redis_cluster))


@pytest.fixture
def repo(migrated: MySqlSettings, redis_cluster: RedisCluster) -> repo_pb2_grpc.RepoServiceStub:
    """Serve the repo layer through the envelope of Lambda Invoke."""
    server = wiring.build(
        {
            "GOCHAT_STAGE": "test",
            "GOCHAT_MYSQL_HOST": migrated.mysql_host,
            "GOCHAT_MYSQL_PORT": str(migrated.mysql_port),
            "GOCHAT_MYSQL_USER": migrated.mysql_user,
            "GOCHAT_MYSQL_DATABASE": migrated.mysql_database,
            "GOCHAT_REDIS_HOST": redis_cluster.host,
            "GOCHAT_REDIS_PORT": str(redis_cluster.port),
            "AWS_LAMBDA_FUNCTION_VERSION": "7",
        }
    )
    return repo_pb2_grpc.RepoServiceStub(InvokeChannel(server.handle_payload))


@pytest.fixture(scope="module")
def alice_exists(migrated: MySqlSettings, redis_cluster: RedisCluster) -> None:
    """Make Alice's account."""
    database, cache = Database(migrated), Cache(redis_settings(redis_cluster))
    UserStore(database, ReadThrough(database, cache)).create_user(ALICE, "hash")


@pytest.mark.usefixtures("alice_exists")
@pytest.mark.parametrize("key", [{"user_id": ALICE.user_id}, {"username": "alice"}])
def test_a_user_is_told_by_id_or_name_without_the_password(
    repo: repo_pb2_grpc.RepoServiceStub, key: dict[str, object]
) -> None:
    user = repo.GetUser(repo_pb2.GetUserRequest(**key))  # type: ignore[arg-type]
    assert (user.user_id, user.username, user.created_at_ms) == (ALICE.user_id, "alice", ALICE.created_at_ms)
    assert not user.HasField("last_login_at_ms")
    assert b"hash" not in user.SerializeToString()


def refusal(call: object, request: object) -> GochatError:
    with pytest.raises(grpc.RpcError) as raised:
        call(request)  # type: ignore[operator]
    return error_of(raised.value)


def test_whom_there_is_not_is_not_found(repo: repo_pb2_grpc.RepoServiceStub) -> None:
    for request in (repo_pb2.GetUserRequest(user_id=1), repo_pb2.GetUserRequest(username="nobody")):
        assert isinstance(refusal(repo.GetUser, request), UserNotFound)


def test_connections_are_told_as_the_database_has_them(
    repo: repo_pb2_grpc.RepoServiceStub, database: Database, cache: Cache
) -> None:
    held = Connection(
        user_id=ALICE.user_id,
        device_id=DeviceId("phone"),
        session_id=SessionId(5),
        cell_id=CellId("g1"),
        connection_id=ConnectionId("abc="),
        connected_at_ms=7,
    )
    Connections(database, cache).register(held)
    (told,) = repo.ListConnections(repo_pb2.ListConnectionsRequest(user_ids=[ALICE.user_id, 3])).connections
    assert (told.user_id, told.device_id, told.connection_id) == (ALICE.user_id, "phone", "abc=")


def test_not_more_users_are_asked_for_than_one_answer_bears(repo: repo_pb2_grpc.RepoServiceStub) -> None:
    error = refusal(repo.ListConnections, repo_pb2.ListConnectionsRequest(user_ids=range(501)))
    assert isinstance(error, InvalidRequest)
    assert [fault.field for fault in error.faults] == ["user_ids"]


def test_a_status_is_written_where_it_is_read(repo: repo_pb2_grpc.RepoServiceStub, cache: Cache) -> None:
    repo.UpdateUserStatus(repo_pb2.UpdateUserStatusRequest(user_id=ALICE.user_id, online=True, last_seen_ms=9))
    assert cache.run([command("GET", f"user_status:{ALICE.user_id}")])[0] == b'{"online":true,"last_seen_ms":9}'


def test_health_names_the_release_and_touches_no_store(repo: repo_pb2_grpc.RepoServiceStub) -> None:
    health = repo.CheckHealth(repo_pb2.CheckHealthRequest())
    assert (health.stage, health.version) == ("test", "7")
