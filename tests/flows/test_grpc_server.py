"""`./dev grpc`: im-logic and im-repo as containers beside the deployed stage, called by a stock gRPC client."""

import base64
import os
import re
import signal
import subprocess
import sys
import threading
import uuid
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

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
    """What one `./dev grpc` runs."""

    command: "subprocess.Popen[bytes]"
    log: Path
    channels: dict[str, grpc.Channel]

    @property
    def logic(self) -> grpc.Channel:
        return self.channels["logic"]

    @property
    def repo(self) -> grpc.Channel:
        return self.channels["repo"]

    def stop(self) -> int:
        """End it as `docker stop` would; return its exit code."""
        self.command.send_signal(signal.SIGTERM)
        return self.command.wait(90)


@contextmanager
def dev_grpc(stage: Stage, log: Path, *options: str, services: int) -> Iterator[Servers]:
    """Run `./dev grpc` on free ports until the block is left."""
    with ExitStack() as held:
        output = held.enter_context(log.open("wb"))
        command = held.enter_context(
            subprocess.Popen(
                [sys.executable, "-m", "dev_cli", "grpc", "--port", "0", *options],
                cwd=ROOT,
                env={**os.environ, "GOCHAT_HOME": str(stage.home)},
                stdout=output,
            )
        )
        held.callback(command.terminate)

        def addresses() -> dict[str, str]:
            return dict(re.findall(r"^im-(\w+) serves gRPC at (\S+)$", log.read_text(), re.MULTILINE))

        eventually(lambda: len(addresses()) == services or command.poll() is not None, "all serve", within_s=60)
        channels = {name: held.enter_context(grpc.insecure_channel(address)) for name, address in addresses().items()}
        assert len(channels) == services
        yield Servers(command=command, log=log, channels=channels)


@pytest.fixture(scope="module")
def servers(stage: Stage, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Servers]:
    with dev_grpc(stage, tmp_path_factory.mktemp("grpc") / "log", services=2) as running:
        yield running


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

    assert servers.stop() == 0
    with pytest.raises(grpc.RpcError) as gone:
        health.Check(request, timeout=5)
    assert gone.value.code() is grpc.StatusCode.UNAVAILABLE


def test_a_registered_container_takes_calls_of_the_stage_and_leaves_without_failing_one(
    stage: Stage, alice: Person, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AWS_DISABLE_HOST_PREFIX_INJECTION", "true")  # data-127.0.0.1 is no address

    def registered() -> list[str]:
        found = stage.aws("servicediscovery").discover_instances(
            NamespaceName="gochat-local", ServiceName="im-logic", HealthStatus="ALL"
        )
        return [one["InstanceId"] for one in found["Instances"] if one["Attributes"]["origin"] == "self"]

    with dev_grpc(stage, tmp_path / "log", "--service", "logic", "--register", services=1) as running:
        eventually(lambda: len(registered()) == 1, "it is registered")
        statuses: list[int] = []

        def is_called() -> bool:
            statuses.append(alice.rest.get("/users/me").status_code)
            return '"method":"GetMe"' in running.log.read_text()

        eventually(is_called, "gateway-http has it answer calls", within_s=60)
        stopping = threading.Thread(target=running.stop)
        stopping.start()
        while stopping.is_alive():
            statuses.append(alice.rest.get("/users/me").status_code)
        stopping.join()

        assert running.command.returncode == 0
        assert set(statuses) == {200}
        assert registered() == []
