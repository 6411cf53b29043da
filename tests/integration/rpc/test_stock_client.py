"""A client that was given nothing but the address: it learns the services by reflection and calls them."""

import base64
from collections.abc import Iterator
from typing import Any

import grpc
import pytest
from grpc_health.v1 import health_pb2, health_pb2_grpc

from gochat_aws.invoke_server import InvokeServer
from gochat_repo.migrate import migrate_from
from local_stage.services.mysql import MySqlServer
from local_stage.services.redis import RedisCluster
from logic.rpc import wiring as logic_wiring
from repo.rpc import wiring as repo_wiring
from tests.fakes.producer import InMemoryProducer
from tests.fakes.token_keys import make_token_secret_json
from tests.fixtures.grpc_carriers import http2_address
from tests.fixtures.services import fresh_database
from tests.fixtures.stock_grpc import StockClient
from tests.integration.rest.conftest import logic_environ

SECRET = make_token_secret_json()
PASSWORD = "correct horse battery"


@pytest.fixture(scope="module")
def environ(mysql_server: MySqlServer, redis_cluster: RedisCluster) -> Iterator[dict[str, str]]:
    with fresh_database(mysql_server, label="stock") as name:
        settings = logic_environ(mysql_server, redis_cluster, name, SECRET)
        migrate_from(settings)
        yield settings


@pytest.fixture(scope="module")
def logic(environ: dict[str, str]) -> Iterator[grpc.Channel]:
    def build() -> InvokeServer:
        return logic_wiring.build(environ, read_secret=lambda: SECRET, producer=InMemoryProducer())

    with http2_address(build) as address, grpc.insecure_channel(address) as channel:
        yield channel


@pytest.fixture(scope="module")
def repo(environ: dict[str, str]) -> Iterator[grpc.Channel]:
    with http2_address(lambda: repo_wiring.build(environ)) as address, grpc.insecure_channel(address) as channel:
        yield channel


def test_it_lists_every_service_of_im_logic(logic: grpc.Channel) -> None:
    names = ("Auth", "Contact", "Conversation", "Group", "Media", "Message", "Push", "Sync", "User")
    assert StockClient(logic).services() == [
        *(f"gochat.logic.v1.{name}Service" for name in names),
        "grpc.health.v1.Health",
        "grpc.reflection.v1alpha.ServerReflection",
    ]


def test_it_registers_logs_in_and_asks_who_it_is(logic: grpc.Channel) -> None:
    client = StockClient(logic)
    account = {"username": "alice", "password": PASSWORD}
    client.call("gochat.logic.v1.AuthService", "Register", {**account, "sourceIp": "192.0.2.1"})
    login = {**account, "deviceId": "laptop", "platform": "desktop"}
    pair = client.call("gochat.logic.v1.AuthService", "Authenticate", login)

    me = client.call("gochat.logic.v1.UserService", "GetMe", {}, token=pair["accessToken"])

    assert me["user"]["username"] == "alice"


def test_it_reads_users_from_im_repo(logic: grpc.Channel, repo: grpc.Channel) -> None:
    account = {"username": "bob", "password": PASSWORD, "sourceIp": "192.0.2.1"}
    StockClient(logic).call("gochat.logic.v1.AuthService", "Register", account)
    client = StockClient(repo)

    assert "gochat.repo.v1.RepoService" in client.services()
    assert client.call("gochat.repo.v1.RepoService", "GetUser", {"username": "bob"})["displayName"] == "bob"


def test_the_health_of_each_service_is_told_and_watched(logic: grpc.Channel) -> None:
    health = health_pb2_grpc.HealthStub(logic)
    serving = health_pb2.HealthCheckResponse.SERVING

    for service in ("", "gochat.logic.v1.MessageService"):
        assert health.Check(health_pb2.HealthCheckRequest(service=service), timeout=20).status == serving
    watching = health.Watch(health_pb2.HealthCheckRequest(service=""), timeout=20)
    assert next(watching).status == serving
    watching.cancel()


def test_calls_at_once_have_a_container_each(logic: grpc.Channel) -> None:
    client = StockClient(logic)
    for name in ("carol", "dave"):
        account = {"username": name, "password": PASSWORD, "sourceIp": "192.0.2.1"}
        client.call("gochat.logic.v1.AuthService", "Register", account)
    logins = [
        client.start(
            "gochat.logic.v1.AuthService",
            "Authenticate",
            {"username": name, "password": PASSWORD, "deviceId": f"device-{at}", "platform": "ios"},
        )
        for at in range(4)
        for name in ("carol", "dave")
    ]

    told = [login.result().user.username for login in logins]

    assert told == ["carol", "dave"] * 4


def test_it_reads_groups_members_and_messages_from_im_repo(logic: grpc.Channel, repo: grpc.Channel) -> None:
    at_logic, at_repo = StockClient(logic), StockClient(repo)
    people = {}
    for name in ("erin", "frank", "grace"):
        account = {"username": name, "password": PASSWORD}
        at_logic.call("gochat.logic.v1.AuthService", "Register", {**account, "sourceIp": "192.0.2.1"})
        login = {**account, "deviceId": "phone", "platform": "ios"}
        people[name] = at_logic.call("gochat.logic.v1.AuthService", "Authenticate", login)
    token, ids = people["erin"]["accessToken"], [pair["user"]["userId"] for pair in people.values()]
    request = {"name": "walks", "memberIds": ids[1:]}
    made = at_logic.call("gochat.logic.v1.GroupService", "CreateGroup", request, token=token)["group"]
    message = {"conversationId": made["conversationId"], "clientMsgId": "m-1", "type": "text"}
    content = base64.b64encode(b'{"text":"hello"}').decode()
    at_logic.call("gochat.logic.v1.MessageService", "SendMessage", {**message, "content": content}, token=token)

    def ask(method: str, **request: Any) -> Any:
        return at_repo.call("gochat.repo.v1.RepoService", method, request)

    group = ask("GetGroup", groupId=made["groupId"])
    assert (group["name"], group["ownerId"], group["memberCount"]) == ("walks", ids[0], 3)
    first = ask("ListGroupMembers", groupId=made["groupId"], limit=2)["members"]
    rest = ask("ListGroupMembers", groupId=made["groupId"], afterUserId=first[-1]["userId"], limit=2)["members"]
    assert [(one["userId"], one["role"]) for one in first + rest] == [
        (user_id, "owner" if user_id == ids[0] else "member") for user_id in sorted(ids, key=int)
    ]
    messages = ask("ListMessages", conversationId=made["conversationId"], limit=500)["messages"]
    assert [one["seq"] for one in messages] == [str(seq) for seq in range(1, len(messages) + 1)]
    assert (messages[-1]["senderId"], messages[-1]["content"]) == (ids[0], content)
    assert ask("ListMessages", conversationId=made["conversationId"], afterSeq=messages[-1]["seq"], limit=1) == {}


@pytest.mark.parametrize(
    ("method", "request_", "code"),
    [
        ("GetGroup", {"groupId": "1"}, grpc.StatusCode.NOT_FOUND),
        ("GetGroup", {"groupId": str((1 << 64) - 1)}, grpc.StatusCode.NOT_FOUND),
        ("ListGroupMembers", {"groupId": "1", "limit": 1}, grpc.StatusCode.NOT_FOUND),
        ("ListGroupMembers", {"groupId": "1", "limit": 501}, grpc.StatusCode.INVALID_ARGUMENT),
        ("ListMessages", {"conversationId": "none", "limit": 1}, grpc.StatusCode.NOT_FOUND),
        ("ListMessages", {"conversationId": "0" * 32}, grpc.StatusCode.INVALID_ARGUMENT),
    ],
)
def test_im_repo_refuses_what_there_is_not_and_what_is_too_much(
    repo: grpc.Channel, method: str, request_: dict[str, Any], code: grpc.StatusCode
) -> None:
    with pytest.raises(grpc.RpcError) as refused:
        StockClient(repo).call("gochat.repo.v1.RepoService", method, request_)
    assert refused.value.code() is code
