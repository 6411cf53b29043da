"""Who the stack registers, and where its changes are told."""

import dataclasses

import pytest
from aws_cdk import App
from aws_cdk.assertions import Template

from cdk_app.app import build_app
from cdk_app.settings import LogicAlias
from cdk_app.stages import LOCAL
from tests.infrastructure.synthesis import Resource, Synthesis


def _instances(stage: Synthesis) -> dict[str, Resource]:
    return {one.properties["InstanceId"]: one for one in stage.resources("AWS::ServiceDiscovery::Instance")}


def test_the_cell_and_the_aliases_are_registered_as_the_stack_s_own(stage: Synthesis) -> None:
    instances = _instances(stage)
    assert set(instances) == {"g1", "live", "rpc"}
    for one in instances.values():
        assert one.properties["InstanceAttributes"]["origin"] == "stack"
    cell = instances["g1"].properties["InstanceAttributes"]
    assert (cell["weight"], cell["draining"]) == ("100", "false")
    assert instances["live"].properties["InstanceAttributes"]["weight"] == "100"


def test_every_service_takes_health_from_the_prober_and_none_from_dns(stage: Synthesis) -> None:
    services = {one.properties["Name"]: one.properties for one in stage.resources("AWS::ServiceDiscovery::Service")}
    assert set(services) == {"im-gateway", "im-gateway-load", "im-logic", "im-repo"}
    for properties in services.values():
        assert properties["HealthCheckCustomConfig"]
        assert properties["Type"] == "HTTP"


def test_changes_are_told_on_a_bus_of_the_stage(stage: Synthesis) -> None:
    (bus,) = stage.resources("AWS::Events::EventBus")
    assert bus.properties["Name"] == f"gochat-{stage.stage}-registry"


@pytest.fixture(scope="module")
def two_cells_and_a_canary() -> dict[str, dict[str, str]]:
    """The attributes of what a stage registers that has two cells, one draining, and a canary."""
    stage = dataclasses.replace(
        LOCAL,
        cells=("g1", "g2"),
        cell_weights=(("g2", 50),),
        draining_cells=("g1",),
        logic_aliases=(LogicAlias(name="live", weight=90, version="7"), LogicAlias(name="canary", weight=10)),
    )
    app = App(analytics_reporting=False)
    build_app(app, stage, full=False)
    attributes: dict[str, dict[str, str]] = {}
    for part in ("Edge", "Services"):
        found = Template.from_stack(app.node.find_child(f"GoChat-local-{part}")).find_resources(  # type: ignore[arg-type]
            "AWS::ServiceDiscovery::Instance"
        )
        for one in found.values():
            attributes[one["Properties"]["InstanceId"]] = one["Properties"]["InstanceAttributes"]
    return attributes


def test_a_draining_cell_and_weights_stand_in_the_registry(two_cells_and_a_canary: dict[str, dict[str, str]]) -> None:
    assert two_cells_and_a_canary["g1"]["draining"] == "true"
    assert two_cells_and_a_canary["g2"]["draining"] == "false"
    assert two_cells_and_a_canary["g2"]["weight"] == "50"


def test_a_canary_takes_its_part_beside_a_published_version(two_cells_and_a_canary: dict[str, dict[str, str]]) -> None:
    canary, live = two_cells_and_a_canary["canary"], two_cells_and_a_canary["live"]
    assert (canary["weight"], canary["version"]) == ("10", "$LATEST")
    assert (live["weight"], live["version"]) == ("90", "7")
