"""Before half an hour of deploying, the region is asked whether it has what the stores are made of."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from typing import Any

import boto3
import pytest
from botocore.stub import Stubber

from cdk_app.stages import EXTERNAL
from cdk_app.store_settings import AURORA_VERSION
from dev_cli.aws.target import Target
from dev_cli.deployment.findings import Finding
from dev_cli.deployment.offers import look_at_offers
from tests.integration.deployment.conftest import target_of

ZONES = ("us-east-1a", "us-east-1b")
"""What moto names the zones of the fixture."""


@contextmanager
def region(
    target: Target, *, instances: list[str], kafka: dict[str, str], endpoints: list[str]
) -> Iterator[Callable[[], list[Finding]]]:
    """Let the region offer instances and endpoints in these zones, and these versions of Kafka."""
    clients = {name: boto3.client(name) for name in ("rds", "kafka", "ec2")}
    stubs = {name: Stubber(client) for name, client in clients.items()}
    option = {"Engine": "aurora-mysql", "AvailabilityZones": [{"Name": name} for name in instances]}
    stubs["rds"].add_response(
        "describe_orderable_db_instance_options",
        {"OrderableDBInstanceOptions": [option] if instances else []},
        {"Engine": "aurora-mysql", "EngineVersion": AURORA_VERSION, "DBInstanceClass": "db.serverless"},
    )
    versions = [{"Version": version, "Status": status} for version, status in kafka.items()]
    stubs["kafka"].add_response("list_kafka_versions", {"KafkaVersions": versions})
    zones = {
        "AvailabilityZones": [{"ZoneName": f"us-east-1{x}", "ZoneId": f"use1-az{6 if x == 'a' else 1}"} for x in "ab"]
    }
    services = [
        {"ServiceName": f"com.amazonaws.us-east-1.{name}", "AvailabilityZones": endpoints} for name in ("lambda", "sts")
    ]
    if instances:
        stubs["ec2"].add_response("describe_availability_zones", zones)
    stubs["ec2"].add_response("describe_vpc_endpoint_services", {"ServiceDetails": services})
    for _ in services:
        stubs["ec2"].add_response("describe_availability_zones", zones)

    class Session:
        def client(self, name: str, **_: Any) -> Any:
            return clients[name]

    for stub in stubs.values():
        stub.activate()
    yield lambda: list(look_at_offers(replace(target, session=Session())))


def test_a_region_that_has_everything_is_told_in_three_lines(dev: Target) -> None:
    with region(dev, instances=list(ZONES), kafka={"3.9.x": "ACTIVE"}, endpoints=list(ZONES)) as look:
        assert [finding.verdict for finding in look()] == ["ok", "ok", "ok"]


@pytest.mark.parametrize("kafka", [{"3.9.x": "DEPRECATED"}, {"4.1.x.kraft": "ACTIVE"}])
def test_versions_that_are_gone_stop_it_with_those_that_there_are(dev: Target, kafka: dict[str, str]) -> None:
    with region(dev, instances=[], kafka=kafka, endpoints=list(ZONES)) as look:
        database, broker, _ = look()
    assert (database.verdict, broker.verdict) == ("fault", "fault")
    assert "describe-db-engine-versions" in database.advice
    assert broker.advice.endswith(", ".join(name for name, state in kafka.items() if state == "ACTIVE"))


def test_an_endpoint_that_lacks_the_zone_stops_it(dev: Target) -> None:
    with region(dev, instances=["us-east-1a"], kafka={"3.9.x": "ACTIVE"}, endpoints=["us-east-1b"]) as look:
        database, _, endpoints = look()
    assert database.verdict == "warning"
    assert endpoints.verdict == "fault"
    assert "use1-az6" in endpoints.what


def test_what_may_not_be_read_stops_nothing(dev: Target) -> None:
    client = boto3.client("rds")

    class Session:
        def client(self, *_: Any, **__: Any) -> Any:
            stub = Stubber(client)
            for operation in ("describe_orderable_db_instance_options",):
                stub.add_client_error(operation, service_error_code="AccessDenied")
            stub.activate()
            return client

    first = next(look_at_offers(replace(dev, session=Session())))
    assert first.verdict == "warning"


def test_existing_stores_are_their_owners_affair() -> None:
    assert list(look_at_offers(target_of(EXTERNAL))) == []
