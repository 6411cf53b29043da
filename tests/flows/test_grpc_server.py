"""`./dev grpc`: im-logic and im-repo as containers beside the deployed stage, called by a stock gRPC client."""

import base64
import os
import re
import signal
import subprocess
import sys
import uuid
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass

import grpc
import pytest
from grpc_health.v1 import health_pb2, health_pb2_grpc

from dev_cli.paths import ROOT
from tests.fixtures.stage import Stage
from tests.fixtures.stock_grpc import StockClient
from tests.flows.stock_client import PASSWORD, Person, eventually

pytestmark = pytest.mark.timeout(300)

AUTH = "gochat.logic.v1.AuthService"
MESSAGES = "gochat.logic.v1.MessageService"


@dataclass(kw_only=True)
class Servers:
    """The servers that one `./dev grpc` runs."""

    command: "subprocess.Popen[bytes]"
    logic: grpc.Channel
    repo: grpc.Channel


@pytest.fixture(scope="module")
def servers(stage: Stage, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Servers]:
    log = tmp_path_factory.mktemp("grpc") / "log"
    with ExitStack() as held:
        output = held.enter_context(log.open("wb"))
        command = held.enter_context(
            subprocess.Popen(
                [sys.executable, "-m", "dev_cli", "grpc", "--port", "0"],
                cwd=ROOT,
                env={**os.environ, "GOCHAT_HOME": str(stage.home)},
                stdout=output,
            )
        )
        held.callback(command.terminate)

        def addresses() -> dict[str, str]:
            return dict(re.findall(r"^im-(\w+) serves gRPC at (\S+)$", log.read_text(), re.MULTILINE))

        eventually(lambda: len(addresses()) == 2 or command.poll() is not None, "both serve", within_s=60)
        found = addresses()
        logic = held.enter_context(grpc.insecure_channel(found["logic"]))
        repo = held.enter_context(grpc.insecure_channel(found["repo"]))
        yield Servers(command=command, logic=logic, repo=repo)


def test_a_stock_client_lists_the_services_and_sends_a_message_that_arrives_live(servers: Servers, bob: Person) -> None:
    client = StockClient(servers.logic)
    assert {AUTH, MESSAGES, "grpc.health.v1.Health"} <= set(client.services())
    alice = {"username": f"alice-{uuid.uuid4().hex[:10]}", "password": PASSWORD}
    client.call(AUTH, "Register", {**alice, "sourceIp": "192.0.2.1"})
    token = client.call(AUTH, "Authenticate", {**alice, "deviceId": "cli", "platform": "desktop"})["accessToken"]
    opened = client.call(
        "gochat.logic.v1.ConversationService",
        "CreateConversation",
        {"type": "single", "memberIds": [bob.user_id]},
        token=token,
    )
    conversation_id = opened["conversation"]["conversationId"]

    with bob.connect() as at_bob:
        content = base64.b64encode(b'{"text": "over HTTP/2"}').decode()
        message = {"conversationId": conversation_id, "clientMsgId": "m-1", "type": "text", "content": content}
        assert client.call(MESSAGES, "SendMessage", message, token=token)["created"]
        (heard,) = at_bob.wait_messages(1, conversation_id)

    assert heard["content"] == {"text": "over HTTP/2"}


def test_a_token_of_the_deployed_functions_is_good_at_the_container_and_none_is_refused(
    servers: Servers, alice: Person
) -> None:
    client = StockClient(servers.logic)
    token = alice.tokens["access_token"]

    assert client.call("gochat.logic.v1.UserService", "GetMe", {}, token=token)["user"]["username"] == alice.username
    with pytest.raises(grpc.RpcError) as refused:
        client.call("gochat.logic.v1.UserService", "GetMe", {})
    assert refused.value.code() is grpc.StatusCode.UNAUTHENTICATED


def test_im_repo_tells_which_cell_a_user_is_connected_to(servers: Servers, alice: Person) -> None:
    client = StockClient(servers.repo)
    with alice.connect():
        told = client.call("gochat.repo.v1.RepoService", "ListConnections", {"userIds": [alice.user_id]})
        assert [one["cellId"] for one in told["connections"]] == ["g1"]


def test_sigterm_lets_both_servers_finish(servers: Servers) -> None:
    health = health_pb2_grpc.HealthStub(servers.logic)
    request = health_pb2.HealthCheckRequest(service="")
    assert health.Check(request, timeout=20).status == health_pb2.HealthCheckResponse.SERVING

    servers.command.send_signal(signal.SIGTERM)

    assert servers.command.wait(60) == 0
    with pytest.raises(grpc.RpcError) as gone:
        health.Check(request, timeout=5)
    assert gone.value.code() is grpc.StatusCode.UNAVAILABLE
