"""The registry over two Cloud Maps, moto's and the local stage's, each with a bus that somebody listens to."""

import json
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import boto3
import grpc
import pytest
from aws_lambda_powertools import Logger

from gateway.prober.health_calls import HealthCalls
from gateway.prober.leases import Leases
from gochat_aws.registry.balanced_channel import BalancedChannel
from gochat_aws.registry.choose import Outliers
from gochat_aws.registry.cloud_map import CloudMap, open_cloud_map
from gochat_aws.registry.discover import Discovery
from gochat_aws.registry.instances import LOGIC, Instance
from gochat_aws.registry.registration import Registry
from gochat_aws.registry.watch import Announcer, open_events
from gochat_core.clock import SystemClock
from tests.fakes.registry import Stopwatch
from tests.fixtures.containers import WHO
from tests.fixtures.moto_endpoint import MotoEndpoint, moto_endpoint
from tests.integration.local_stage.aws.conftest import start_local_aws

REGION = "us-east-1"
NAMESPACE = "gochat-test"
BUS = "gochat-test-registry"
LOGGER = Logger(service="test")


@pytest.fixture(autouse=True)
def credentials(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("AWS_ENDPOINT_URL", "AWS_PROFILE"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "000000000000")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "local")
    monkeypatch.setenv("AWS_REGION", REGION)


@pytest.fixture(scope="session")
def local_aws_url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    running = start_local_aws(tmp_path_factory.mktemp("registry-aws"))
    yield running.endpoint_url
    running.process.terminate()
    running.process.wait(timeout=10)


@pytest.fixture
def moto() -> Iterator[MotoEndpoint]:
    with moto_endpoint() as endpoint:
        yield endpoint


@dataclass(frozen=True, kw_only=True)
class Place:
    """A Cloud Map and an EventBridge, and whoever listens on the bus."""

    url: str
    clients: dict[str, Any]
    service_id: str
    listen: Callable[[], list[dict[str, Any]]]
    """Gives the events that came over the bus since the last time."""

    def cloud_map(self, *, timeout_s: float = 5.0) -> CloudMap:
        api = open_cloud_map(region=REGION, timeout_s=timeout_s, endpoint=self.url)
        return CloudMap(api=api, namespace=NAMESPACE, service_ids={LOGIC: self.service_id})

    def registry(self) -> Registry:
        events = open_events(region=REGION, timeout_s=5.0, endpoint=self.url)
        return Registry(
            cloud_map=self.cloud_map(),
            announcer=Announcer(api=events, bus=BUS, clock=SystemClock(), logger=LOGGER),
        )

    def run_prober(self) -> dict[str, int]:
        """Let the prober go the rounds of one run, without waiting between them."""
        clock = Stopwatch()
        leases = Leases(
            registry=self.registry(),
            services=[LOGIC],
            is_serving=HealthCalls(region=REGION).is_serving,
            pause=clock.pause,
            monotonic_s=clock,
        )
        return dict(leases.renew(None))  # type: ignore[arg-type]  # rounds are counted

    def notices(self, count: int) -> list[tuple[str, str]]:
        """Wait for events; return who changed, and how."""
        heard: list[tuple[str, str]] = []
        deadline_s = time.monotonic() + 10
        while len(heard) < count:
            assert time.monotonic() < deadline_s, f"heard {heard} only"
            for event in self.listen():
                assert (event["source"], event["detail-type"]) == ("gochat.registry", "Instance changed")
                heard.append((event["detail"]["instance_id"], event["detail"]["change"]))
        return heard


@dataclass(frozen=True, kw_only=True)
class Caller:
    """Somebody who calls im-logic by the registry."""

    discovery: Discovery
    clock: Stopwatch
    channel: BalancedChannel

    def ask(self) -> str:
        """Make one call and return who answered. Raises grpc.RpcError."""
        answer: bytes = self.channel.unary_unary(WHO, request_serializer=bytes, response_deserializer=bytes)(
            b"", timeout=5
        )
        return answer.decode()


def open_caller(place: Place, *, fallback: str = "grpc://127.0.0.1:1") -> Caller:
    """Make a caller with a clock of its own."""
    clock = Stopwatch()
    discovery = Discovery(place.cloud_map(timeout_s=1.0), logger=LOGGER, now_s=clock)
    channel = BalancedChannel(
        instances=lambda: discovery.instances(LOGIC),
        fallback=Instance(instance_id="fallback", endpoint=fallback),
        open_channel=lambda one: grpc.insecure_channel(one.target.removeprefix("grpc://")),
        outliers=Outliers(clock),
        logger=LOGGER,
    )
    return Caller(discovery=discovery, clock=clock, channel=channel)


@pytest.fixture
def place_on_moto(moto: MotoEndpoint) -> Place:
    # boto3 goes to moto by itself; only our own client needs the port.
    clients = {name: _client(name) for name in ("servicediscovery", "events")}
    clients["events"].create_event_bus(Name=BUS)

    def listen() -> list[dict[str, Any]]:
        heard, moto.events[:] = list(moto.events), []
        return heard

    return Place(url=moto.url, clients=clients, service_id=create_service(clients["servicediscovery"]), listen=listen)


@pytest.fixture
def place_on_local_aws(local_aws_url: str) -> Iterator[Place]:
    clients = {name: _client(name, endpoint_url=local_aws_url) for name in ("servicediscovery", "events", "sqs")}
    queue_url = clients["sqs"].create_queue(QueueName="listener")["QueueUrl"]
    _listen_to_bus(clients, queue_url)

    def listen() -> list[dict[str, Any]]:
        answer = clients["sqs"].receive_message(QueueUrl=queue_url, MaxNumberOfMessages=10)
        for message in answer.get("Messages", []):
            clients["sqs"].delete_message(QueueUrl=queue_url, ReceiptHandle=message["ReceiptHandle"])
        return [json.loads(message["Body"]) for message in answer.get("Messages", [])]

    service_id = create_service(clients["servicediscovery"])
    yield Place(url=local_aws_url, clients=clients, service_id=service_id, listen=listen)
    _clear(clients, service_id, queue_url)


@pytest.fixture(params=["moto", "local AWS"])
def place(request: pytest.FixtureRequest) -> Place:
    """Each Cloud Map in turn."""
    wanted: Place = request.getfixturevalue(f"place_on_{request.param.replace(' ', '_').lower()}")
    return wanted


def _client(name: str, **options: Any) -> Any:
    return boto3.client(name, region_name=REGION, **options)  # type: ignore[call-overload]


def create_service(cloud_map: Any) -> str:
    """Make the namespace and one service in it; return the service's id."""
    operation = cloud_map.create_http_namespace(Name=NAMESPACE)["OperationId"]
    namespace_id = cloud_map.get_operation(OperationId=operation)["Operation"]["Targets"]["NAMESPACE"]
    service = cloud_map.create_service(
        Name=LOGIC, NamespaceId=namespace_id, HealthCheckCustomConfig={"FailureThreshold": 1}
    )["Service"]
    return str(service["Id"])


def _listen_to_bus(clients: dict[str, Any], queue_url: str) -> None:
    attributes = clients["sqs"].get_queue_attributes(QueueUrl=queue_url, AttributeNames=["QueueArn"])["Attributes"]
    events = clients["events"]
    events.create_event_bus(Name=BUS)
    events.put_rule(Name="changes", EventBusName=BUS, EventPattern=json.dumps({"source": ["gochat.registry"]}))
    target = {"Id": "listener", "Arn": attributes["QueueArn"]}
    events.put_targets(Rule="changes", EventBusName=BUS, Targets=[target])


def _clear(clients: dict[str, Any], service_id: str, queue_url: str) -> None:
    cloud_map, events = clients["servicediscovery"], clients["events"]
    namespace_id = cloud_map.get_service(Id=service_id)["Service"]["NamespaceId"]
    for service in cloud_map.list_services()["Services"]:
        for one in cloud_map.list_instances(ServiceId=service["Id"])["Instances"]:
            cloud_map.deregister_instance(ServiceId=service["Id"], InstanceId=one["Id"])
        cloud_map.delete_service(Id=service["Id"])
    cloud_map.delete_namespace(Id=namespace_id)
    events.remove_targets(Rule="changes", EventBusName=BUS, Ids=["listener"])
    events.delete_rule(Name="changes", EventBusName=BUS)
    events.delete_event_bus(Name=BUS)
    clients["sqs"].delete_queue(QueueUrl=queue_url)
