"""The price list covers the templates: each type of resource has a line or a reason, each count is the template's."""

import math

import pytest

from cdk_app.settings import Stage
from cdk_app.stages import find_stage
from dev_cli.aws.target import Target
from dev_cli.cost.fixtures import POLLERS_PER_UNIT, count_fixtures
from dev_cli.cost.floor import floor_of
from dev_cli.cost.report import GROUPS
from dev_cli.cost.resources import RESOURCES
from dev_cli.cost.usage import usage_of
from dev_cli.cost.workload import Workload
from dev_cli.deployment.account import BOOTSTRAP_NEEDED
from dev_cli.deployment.removal import COST_KEYS, ORDER
from dev_cli.signing_keys.rotation import REVISION
from tests.infrastructure.synthesis import Resource, Synthesis
from tests.infrastructure.variants import ALL

BUSY = Workload(users=1_000, messages=1e6, online=0.5, hours=2, media_share=0.1, rest_calls=10)


def settings(synthesis: Synthesis) -> Stage:
    return ALL[synthesis.folder.name]


def test_every_type_of_resource_is_priced_or_free_for_a_reason(variant: Synthesis) -> None:
    types = {resource.type for resource in variant.resources()}
    assert types - RESOURCES.keys() == set(), "say in dev_cli/cost/resources.py how these are billed"
    assert all(billing.lines or billing.why for billing in RESOURCES.values())


def test_what_is_billed_has_a_line_in_the_estimate(managed_stage: Synthesis) -> None:
    stage = settings(managed_stage)
    lines = {line.key for line in (*floor_of(stage, awake=True), *usage_of(stage, BUSY))}
    for resource in managed_stage.resources():
        keys = RESOURCES[resource.type].lines
        if keys and not costs_nothing_so(resource):
            assert lines & set(keys), f"{resource.type} costs money, and no line of {managed_stage.stage} tells of it"


def costs_nothing_so(resource: Resource) -> bool:
    """Tell of a mapping without provisioned pollers, and of a schedule that is disabled."""
    on_demand = (
        resource.type == "AWS::Lambda::EventSourceMapping" and "ProvisionedPollerConfig" not in resource.properties
    )
    return on_demand or (resource.type == "AWS::Scheduler::Schedule" and resource.properties["State"] == "DISABLED")


def test_every_line_belongs_to_a_resource_and_to_a_group_of_the_comparison() -> None:
    billed = {key for billing in RESOURCES.values() for key in billing.lines}
    for name in ("dev", "prod"):
        for line in (*floor_of(find_stage(name), awake=True), *usage_of(find_stage(name), BUSY)):
            assert line.key in GROUPS
            assert line.key in billed | {"pushes"}, f"nothing in the templates is billed as {line.key}"


@pytest.mark.parametrize(
    ("kind", "counted"),
    [
        ("AWS::EC2::NatGateway", "nat_gateways"),
        ("AWS::SecretsManager::Secret", "secrets"),
        ("AWS::KMS::Key", "keys"),
        ("AWS::Scheduler::Schedule", "schedules"),
        ("AWS::CloudWatch::CompositeAlarm", "composite_alarms"),
        ("AWS::ServiceDiscovery::Instance", "registered"),
        ("AWS::CloudWatch::Dashboard", "dashboards"),
        ("AWS::RDS::DBInstance", "database_instances"),
    ],
)
def test_pieces_are_counted_as_the_template_has_them(variant: Synthesis, kind: str, counted: str) -> None:
    assert getattr(count_fixtures(settings(variant)), counted) == len(variant.resources(kind))


def test_alarms_are_counted_once_for_each_metric(variant: Synthesis) -> None:
    computed = [alarm.properties.get("Metrics", [{}]) for alarm in variant.resources("AWS::CloudWatch::Alarm")]
    measured = sum(1 for metrics in computed for metric in metrics if "Expression" not in metric)
    assert count_fixtures(settings(variant)).alarms == measured


def test_queues_that_lambda_polls_are_counted(variant: Synthesis) -> None:
    mappings = [
        str(one.properties.get("EventSourceArn")) for one in variant.resources("AWS::Lambda::EventSourceMapping")
    ]
    queues = {queue.logical_id for queue in variant.resources("AWS::SQS::Queue")}
    polled = {queue for queue in queues if any(f"'{queue}'" in source for source in mappings)}
    assert count_fixtures(settings(variant)).polled_queues == len(polled)


def test_poller_units_are_counted_by_group(stage: Synthesis) -> None:
    groups: dict[str, int] = {}
    for mapping in stage.resources("AWS::Lambda::EventSourceMapping"):
        if pollers := mapping.properties.get("ProvisionedPollerConfig"):
            group = str(pollers.get("PollerGroupName", mapping.logical_id))
            groups[group] = groups.get(group, 0) + int(pollers["MinimumPollers"])
    assert count_fixtures(settings(stage)).poller_units == sum(
        math.ceil(pollers / POLLERS_PER_UNIT) for pollers in groups.values()
    )


def test_interface_endpoints_are_counted_once_a_zone(variant: Synthesis) -> None:
    endpoints = variant.resources("AWS::EC2::VPCEndpoint")
    interfaces = [one for one in endpoints if one.properties.get("VpcEndpointType") == "Interface"]
    in_template = sum(len(one.properties["SubnetIds"]) for one in interfaces)
    assert count_fixtures(settings(variant)).endpoint_zones == in_template


def test_brokers_are_counted_as_the_template_has_them(managed_stage: Synthesis) -> None:
    cluster = managed_stage.one("AWS::MSK::Cluster").properties
    assert count_fixtures(settings(managed_stage)).brokers == cluster["NumberOfBrokerNodes"]


def test_the_commands_know_every_stack(stage: Synthesis) -> None:
    prefix = Target(stage=settings(stage), session=None, endpoint_url=None).stack_prefix
    names = {path.name.removesuffix(".template.json") for path in stage.folder.glob("*.template.json")}
    assert {name.removeprefix(prefix) for name in names} <= set(ORDER)
    assert COST_KEYS.keys() <= set(ORDER)


def test_every_stack_that_hands_out_public_keys_can_be_told_that_they_changed(stage: Synthesis) -> None:
    holding = {resource.stack for resource in stage.resources("Custom::SigningKey")}
    assert holding == {name for name, template in stage.templates.items() if REVISION in template.get("Parameters", {})}
    for resource in stage.resources("Custom::SigningKey"):
        assert resource.properties["Revision"] == {"Ref": REVISION}


def test_the_preflight_asks_for_the_bootstrap_that_the_app_needs(managed_stage: Synthesis) -> None:
    rules = str([template.get("Rules", {}) for template in managed_stage.templates.values()])
    assert f"'{BOOTSTRAP_NEEDED - 1}'" in rules
    assert f"'{BOOTSTRAP_NEEDED}'" not in rules
