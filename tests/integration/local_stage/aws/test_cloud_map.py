"""Cloud Map of the local AWS keeps the rules that the registry relies on."""

from __future__ import annotations

import uuid
from collections.abc import Callable
from typing import Any

import pytest
from botocore.exceptions import ClientError

from .conftest import LocalAws

Discover = Callable[..., dict[str, Any]]


@pytest.fixture
def client(aws: LocalAws) -> Any:
    return aws.client("servicediscovery")


@pytest.fixture
def namespace(client: Any) -> tuple[str, str]:
    """Make a namespace with one service; return its name and the service's id."""
    name = f"n-{uuid.uuid4().hex[:8]}"
    operation = client.create_http_namespace(Name=name)["OperationId"]
    namespace_id = client.get_operation(OperationId=operation)["Operation"]["Targets"]["NAMESPACE"]
    service = client.create_service(Name="s", NamespaceId=namespace_id, HealthCheckCustomConfig={"FailureThreshold": 1})
    return name, service["Service"]["Id"]


@pytest.fixture
def discover(client: Any, namespace: tuple[str, str]) -> Discover:
    return lambda **options: dict(client.discover_instances(NamespaceName=namespace[0], ServiceName="s", **options))


def _ids(answer: dict[str, Any]) -> list[str]:
    return sorted(one["InstanceId"] for one in answer["Instances"])


def test_an_instance_begins_with_the_health_that_it_says(
    client: Any, namespace: tuple[str, str], discover: Discover
) -> None:
    """Cloud Map API, "RegisterInstance": AWS_INIT_HEALTH_STATUS, HEALTHY by default."""
    for instance_id, attributes in (("ill", {"AWS_INIT_HEALTH_STATUS": "UNHEALTHY"}), ("well", {"a": "b"})):
        client.register_instance(ServiceId=namespace[1], InstanceId=instance_id, Attributes=attributes)
    assert _ids(discover(HealthStatus="ALL")) == ["ill", "well"]
    assert _ids(discover(HealthStatus="HEALTHY")) == ["well"]
    assert _ids(discover(HealthStatus="UNHEALTHY")) == ["ill"]
    assert _ids(discover(HealthStatus="HEALTHY_OR_ELSE_ALL")) == ["well"]


def test_healthy_or_else_all_gives_all_when_none_is_healthy(
    client: Any, namespace: tuple[str, str], discover: Discover
) -> None:
    for instance_id in ("a", "b"):
        client.register_instance(
            ServiceId=namespace[1], InstanceId=instance_id, Attributes={"AWS_INIT_HEALTH_STATUS": "UNHEALTHY"}
        )
    assert _ids(discover(HealthStatus="HEALTHY_OR_ELSE_ALL")) == ["a", "b"]


def test_the_revision_moves_with_registrations_and_not_with_health(
    client: Any, namespace: tuple[str, str], discover: Discover
) -> None:
    name, service_id = namespace

    def revision() -> int:
        return int(client.discover_instances_revision(NamespaceName=name, ServiceName="s")["InstancesRevision"])

    client.register_instance(ServiceId=service_id, InstanceId="a", Attributes={"a": "b"})
    first = revision()
    client.update_instance_custom_health_status(ServiceId=service_id, InstanceId="a", Status="UNHEALTHY")
    assert revision() == first == discover(HealthStatus="ALL")["InstancesRevision"]
    client.deregister_instance(ServiceId=service_id, InstanceId="a")
    assert revision() > first


def test_an_instance_has_thirty_attributes_of_its_own_at_most(client: Any, namespace: tuple[str, str]) -> None:
    """Cloud Map developer guide, "AWS Cloud Map service quotas"."""
    attributes = {f"a{number}": "b" for number in range(30)}
    client.register_instance(ServiceId=namespace[1], InstanceId="a", Attributes=attributes)
    with pytest.raises(ClientError, match="InvalidInput"):
        client.register_instance(ServiceId=namespace[1], InstanceId="a", Attributes=attributes | {"one": "more"})


def test_instances_are_listed_a_page_at_a_time(client: Any, namespace: tuple[str, str]) -> None:
    for number in range(5):
        client.register_instance(ServiceId=namespace[1], InstanceId=f"i{number}", Attributes={"a": "b"})
    pages = client.get_paginator("list_instances").paginate(ServiceId=namespace[1], PaginationConfig={"PageSize": 2})
    assert [len(page["Instances"]) for page in pages] == [2, 2, 1]
