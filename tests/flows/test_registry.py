"""The registry of the deployed stage: who is registered, who is noticed to be gone, and how a cell is emptied."""

import json
import time
from collections.abc import Iterator
from typing import Any

import grpc
import msgspec
import pytest
from aws_lambda_powertools import Logger

from gochat_aws.registry.choose import EJECT_AFTER
from gochat_aws.registry.cloud_map import CloudMap, find_service_ids, open_cloud_map
from gochat_aws.registry.discover import Discovery
from gochat_aws.registry.instances import GATEWAY, LOGIC, REPO, Instance
from gochat_aws.registry.registration import Registry
from gochat_aws.registry.watch import Announcer, open_events
from gochat_core.clock import SystemClock
from gochat_core.types import CellId
from local_stage.supervisor.cloud import ACCOUNT, REGION
from tests.fixtures.containers import WHO, containers
from tests.fixtures.stage import Stage
from tests.flows.stock_client import Person, eventually

pytestmark = pytest.mark.timeout(600)

NAMESPACE = "gochat-local"
BUS = "gochat-local-registry"
NOTICED_WITHIN_S = 75.0
G1, G2 = CellId("g1"), CellId("g2")


@pytest.fixture
def cloud_map(stage: Stage, monkeypatch: pytest.MonkeyPatch) -> CloudMap:
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", ACCOUNT)
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "local")
    api = open_cloud_map(region=REGION, timeout_s=10, endpoint=stage.aws_url)
    return CloudMap(api=api, namespace=NAMESPACE, service_ids=find_service_ids(api, NAMESPACE))


@pytest.fixture
def registry(stage: Stage, cloud_map: CloudMap) -> Registry:
    events = open_events(region=REGION, timeout_s=10, endpoint=stage.aws_url)
    announcer = Announcer(api=events, bus=BUS, clock=SystemClock(), logger=Logger(service="test"))
    return Registry(cloud_map=cloud_map, announcer=announcer)


@pytest.fixture
def listener(stage: Stage) -> Iterator[list[tuple[str, str]]]:
    """Everything that the stage's bus tells of instances, as it comes."""
    sqs, events = stage.aws("sqs"), stage.aws("events")
    queue_url = sqs.create_queue(QueueName="registry-listener")["QueueUrl"]
    queue_arn = sqs.get_queue_attributes(QueueUrl=queue_url, AttributeNames=["QueueArn"])["Attributes"]["QueueArn"]
    events.put_rule(Name="listener", EventBusName=BUS, EventPattern=json.dumps({"source": ["gochat.registry"]}))
    events.put_targets(Rule="listener", EventBusName=BUS, Targets=[{"Id": "listener", "Arn": queue_arn}])

    class Heard(list[tuple[str, str]]):
        def __contains__(self, wanted: object) -> bool:
            answer = sqs.receive_message(QueueUrl=queue_url, MaxNumberOfMessages=10)
            for message in answer.get("Messages", []):
                detail = json.loads(message["Body"])["detail"]
                self.append((detail["instance_id"], detail["change"]))
                sqs.delete_message(QueueUrl=queue_url, ReceiptHandle=message["ReceiptHandle"])
            return super().__contains__(wanted)

    yield Heard()
    events.remove_targets(Rule="listener", EventBusName=BUS, Ids=["listener"])
    events.delete_rule(Name="listener", EventBusName=BUS)
    sqs.delete_queue(QueueUrl=queue_url)


def _instances(cloud_map: CloudMap, service: str) -> dict[str, Instance]:
    return {one.instance_id: one for one in cloud_map.list_instances(service).instances}


def test_clients_are_told_of_both_cells_and_logins_are_spread_over_them(stage: Stage, alice: Person) -> None:
    answer = alice.open.get("/gateways", headers={"authorization": ""})
    assert answer.status_code == 200, answer.text
    assert {one["gateway_id"]: one["url"] for one in answer.json()["gateways"]} == stage.gateways
    told = {alice.log_in().tokens["websocket_url"] for _ in range(30)}
    assert told == set(stage.gateways.values())


def test_the_stack_s_instances_are_registered_and_healthy(cloud_map: CloudMap) -> None:
    for service, expected in ((GATEWAY, {"g1", "g2"}), (LOGIC, {"live"}), (REPO, {"rpc"})):
        found = _instances(cloud_map, service)
        assert set(found) == expected
        assert all(one.origin == "stack" and one.healthy for one in found.values())


def test_a_container_registers_is_found_is_called_dies_is_noticed_and_is_told_of(
    registry: Registry, cloud_map: CloudMap, listener: list[tuple[str, str]]
) -> None:
    """Under the real clock, with the prober that the stage's own schedule runs."""
    with containers("container") as (container,):
        registry.register(REPO, msgspec.structs.replace(container.instance(), healthy=False))
        try:
            eventually(lambda: ("container", "registered") in listener, "the registration is told")
            eventually(
                lambda: _instances(cloud_map, REPO)["container"].healthy,
                "the prober's first health call makes it healthy",
                within_s=NOTICED_WITHIN_S,
            )
            assert _instances(cloud_map, REPO)["rpc"].healthy

            discovery = Discovery(cloud_map, logger=Logger(service="test"))
            found = {one.instance_id: one for one in discovery.instances(REPO)}["container"]
            with grpc.insecure_channel(found.target.removeprefix("grpc://")) as channel:
                ask: Any = channel.unary_unary(WHO, request_serializer=bytes, response_deserializer=bytes)
                assert ask(b"", timeout=10) == b"container"

            container.kill()
            died_s = time.monotonic()
            eventually(
                lambda: not _instances(cloud_map, REPO)["container"].healthy,
                "the death is noticed",
                within_s=NOTICED_WITHIN_S,
            )
            assert time.monotonic() - died_s < NOTICED_WITHIN_S
            eventually(lambda: ("container", "unhealthy") in listener, "the illness is told")
        finally:
            registry.deregister(REPO, "container")
        eventually(lambda: ("container", "deregistered") in listener, "the end is told")


def test_calls_go_round_an_instance_that_fails(stage: Stage, registry: Registry, alice: Person) -> None:
    began_ms = int(time.time() * 1000)
    with containers("broken") as (broken,):
        broken.works = False
        registry.register(LOGIC, broken.instance(weight=1_000))
        try:
            began_s = time.monotonic()
            statuses: list[int] = []
            # Past the few seconds that discovery may be late, so that the broken one is tried for sure.
            while len(statuses) < 40 or time.monotonic() - began_s < 8:
                statuses.append(alice.rest.get("/users/me").status_code)
        finally:
            registry.deregister(LOGIC, "broken")
    # Each container of gateway-http finds out for itself; one caller at a time has one of them.
    assert sum(status != 200 for status in statuses) <= EJECT_AFTER
    assert statuses[-1] == 200
    eventually(
        lambda: any("instance ejected" in line for line in stage.log_lines("gateway-http", since_ms=began_ms)),
        "the broken one was tried",
    )


def test_a_draining_cell_moves_its_clients_and_loses_nothing(
    stage: Stage, registry: Registry, cloud_map: CloudMap, alice: Person, bob: Person
) -> None:
    bob.websocket_url = stage.gateways[G2]
    lambdas = stage.aws("lambda")

    def sweep() -> int:
        answer = lambdas.invoke(FunctionName="gochat-local-gateway-sweep-g2", Payload=b"{}")
        return int(json.loads(answer["Payload"].read())["drain"]["ConnectionsMoved"])

    cell = _instances(cloud_map, GATEWAY)["g2"]
    with alice.connect() as at_alice, bob.connect() as before:
        conversation_id = at_alice.say("0", to=bob.user_id)["conversation_id"]
        before.wait_messages(1, conversation_id)
        # Young connections wait for the next sweep.
        registry.drain(GATEWAY, cell)
        try:
            eventually(lambda: sweep() > 0, "the sweep moves the clients", within_s=60)
            at_alice.say("1", to=bob.user_id)
            moved = before.wait_event("session.moved")["data"]
            assert moved == {"gateway_id": "g1", "websocket_url": stage.gateways[G1]}
            before.wait_closed()
            at_alice.say("2", to=bob.user_id)

            bob.websocket_url = moved["websocket_url"]
            with bob.connect() as after:
                at_alice.say("3", to=bob.user_id)
                after.wait_event("message.new")
                eventually(
                    lambda: any(one["content"]["text"] == "3" for one in after.messages(conversation_id)),
                    "live again",
                )
            told = [one["gateway_id"] for one in alice.open.get("/gateways").json()["gateways"]]
            assert told == ["g1"]
        finally:
            registry.register(GATEWAY, cell)
    assert [one["content"]["text"] for one in bob.history(conversation_id)] == ["0", "1", "2", "3"]
