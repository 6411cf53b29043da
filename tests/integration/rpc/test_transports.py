"""im-logic itself behind every way that a call travels: the same answers, refusals and log lines."""

import uuid
from collections.abc import Iterator
from typing import Any

import grpc
import pytest

from gochat_aws.invoke_server import InvokeServer
from gochat_aws.rpc_errors import error_of
from gochat_contracts.logic import (
    auth_pb2,
    auth_pb2_grpc,
    groups_pb2,
    groups_pb2_grpc,
    messages_pb2,
    messages_pb2_grpc,
    users_pb2,
    users_pb2_grpc,
)
from gochat_core.errors import InvalidRequest
from gochat_repo.migrate import migrate_from
from local_stage.services.mysql import MySqlServer
from local_stage.services.redis import RedisCluster
from logic.rpc import wiring
from tests.fakes.producer import InMemoryProducer
from tests.fakes.token_keys import make_token_secret_json
from tests.fixtures.grpc_carriers import CARRIERS
from tests.fixtures.services import fresh_database
from tests.integration.rest.conftest import logic_environ

PASSWORD = "correct horse battery"
CODE = grpc.StatusCode
SECRET = make_token_secret_json()


@pytest.fixture(scope="module")
def environ(mysql_server: MySqlServer, redis_cluster: RedisCluster) -> Iterator[dict[str, str]]:
    with fresh_database(mysql_server, label="transports") as name:
        settings = logic_environ(mysql_server, redis_cluster, name, SECRET)
        migrate_from(settings)
        yield settings


@pytest.fixture(scope="module", params=CARRIERS)
def channel(request: pytest.FixtureRequest, environ: dict[str, str]) -> Iterator[grpc.Channel]:
    def build() -> InvokeServer:
        return wiring.build(environ, read_secret=lambda: SECRET, producer=InMemoryProducer())

    with CARRIERS[request.param](build) as carrying:
        yield carrying


class Person:
    """Somebody who is registered and logged in over the channel."""

    def __init__(self, channel: grpc.Channel, stem: str) -> None:
        name = f"{stem}-{uuid.uuid4().hex[:12]}"
        auth = auth_pb2_grpc.AuthServiceStub(channel)
        auth.Register(auth_pb2.RegisterRequest(username=name, password=PASSWORD, source_ip="192.0.2.1"), timeout=20)
        login = auth_pb2.AuthenticateRequest(username=name, password=PASSWORD, device_id="phone", platform="ios")
        pair = auth.Authenticate(login, timeout=20)
        self.username = name
        self.user_id = str(pair.user.user_id)
        self.metadata = (("authorization", f"Bearer {pair.access_token}"), ("x-request-id", f"r-{name}"))

    def call(self, method: Any, request: Any) -> Any:
        return method(request, timeout=20, metadata=self.metadata)


@pytest.fixture
def alice(channel: grpc.Channel) -> Person:
    return Person(channel, "alice")


@pytest.fixture
def bob(channel: grpc.Channel) -> Person:
    return Person(channel, "bob")


def failure(method: Any, request: Any, metadata: Any = ()) -> Any:
    with pytest.raises(grpc.RpcError) as failed:
        method(request, timeout=20, metadata=metadata)
    return failed.value


def test_a_caller_is_known_by_the_token(channel: grpc.Channel, alice: Person) -> None:
    me = alice.call(users_pb2_grpc.UserServiceStub(channel).GetMe, users_pb2.GetMeRequest())
    assert me.user.username == alice.username


@pytest.mark.parametrize("metadata", [(), (("authorization", "Bearer of-nobody"),)])
def test_who_brings_no_valid_token_is_unauthenticated(channel: grpc.Channel, metadata: Any) -> None:
    error = failure(users_pb2_grpc.UserServiceStub(channel).GetMe, users_pb2.GetMeRequest(), metadata)
    assert (error.code(), error_of(error).code) == (CODE.UNAUTHENTICATED, "unauthenticated")


def test_what_a_member_may_not_do_is_permission_denied(channel: grpc.Channel, alice: Person, bob: Person) -> None:
    groups = groups_pb2_grpc.GroupServiceStub(channel)
    made = alice.call(groups.CreateGroup, groups_pb2.CreateGroupRequest(name="walks", member_ids=[bob.user_id]))
    request = groups_pb2.DissolveGroupRequest(group_id=str(made.group.group_id))

    error = failure(groups.DissolveGroup, request, bob.metadata)

    assert (error.code(), error_of(error).code) == (CODE.PERMISSION_DENIED, "forbidden")


def test_a_message_is_stored_once_however_often_it_is_sent(channel: grpc.Channel, alice: Person, bob: Person) -> None:
    groups = groups_pb2_grpc.GroupServiceStub(channel)
    made = alice.call(groups.CreateGroup, groups_pb2.CreateGroupRequest(name="talks", member_ids=[bob.user_id]))
    request = messages_pb2.SendMessageRequest(
        conversation_id=made.group.conversation_id, client_msg_id="m-1", type="text", content=b'{"text": "hello"}'
    )
    send = messages_pb2_grpc.MessageServiceStub(channel).SendMessage

    first, again = alice.call(send, request), alice.call(send, request)

    assert (first.created, again.created) == (True, False)
    assert first.message.seq == again.message.seq


def test_every_fault_of_a_request_is_told(channel: grpc.Channel, alice: Person) -> None:
    request = auth_pb2.RegisterRequest(username="!", password="x", source_ip="192.0.2.1")

    error = failure(auth_pb2_grpc.AuthServiceStub(channel).Register, request)

    told = error_of(error)
    assert error.code() is CODE.INVALID_ARGUMENT
    assert isinstance(told, InvalidRequest)
    assert {fault.field for fault in told.faults} == {"username", "password"}
