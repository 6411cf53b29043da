"""./dev destroy says what stays, and takes down the rest in order."""

from collections.abc import Callable

import boto3
import pytest

from cdk_app.stages import PROD
from dev_cli.aws.target import Target
from dev_cli.deployment.removal import plan_removal
from dev_cli.failure import Failure
from tests.integration.deployment.conftest import target_of

TOPIC = {"Type": "AWS::SNS::Topic"}


def standing() -> set[str]:
    return {stack["StackName"] for stack in boto3.client("cloudformation").describe_stacks()["Stacks"]}


def make_stage(make_stack: Callable[..., None], stage: str) -> None:
    bucket = {"Type": "AWS::S3::Bucket", "Properties": {"BucketName": f"gochat-{stage}-media"}}
    for part in ("Network", "Data", "Broker", "Services", "Edge"):
        make_stack(f"GoChat-{stage}-{part}", {"Topic": TOPIC, "Kept": {**TOPIC, "DeletionPolicy": "Retain"}})
    make_stack(f"GoChat-{stage}-Media", {"Bucket": bucket})


def test_whoever_stands_on_others_goes_first(dev: Target, make_stack: Callable[..., None]) -> None:
    make_stage(make_stack, "dev")
    told: list[str] = []
    plan_removal(dev).carry_out(tell=told.append, pause=lambda seconds: None)
    order = [line.split()[1].rsplit("-", 1)[1] for line in told]
    assert order == ["Edge", "Services", "Media", "Broker", "Data", "Network"]
    assert standing() == set()


def test_other_stages_are_left_alone(dev: Target, make_stack: Callable[..., None]) -> None:
    make_stage(make_stack, "dev")
    make_stack("GoChat-prod-Edge", {"Topic": TOPIC})
    plan_removal(dev).carry_out(tell=lambda line: None, pause=lambda seconds: None)
    assert standing() == {"GoChat-prod-Edge"}


def test_what_its_template_retains_is_told(dev: Target, make_stack: Callable[..., None]) -> None:
    make_stage(make_stack, "dev")
    remains = list(plan_removal(dev).remains())
    assert "AWS::SNS::Topic Kept of GoChat-dev-Data" in remains


def test_files_are_counted_before_and_deleted_with_their_bucket(dev: Target, make_stack: Callable[..., None]) -> None:
    make_stage(make_stack, "dev")
    s3 = boto3.client("s3")
    for number in range(3):
        s3.put_object(Bucket="gochat-dev-media", Key=f"media/{number}", Body=b"x")
    removal = plan_removal(dev)
    assert removal.files() == 3
    removal.carry_out(tell=lambda line: None, pause=lambda seconds: None)
    assert s3.list_buckets()["Buckets"] == []


def test_a_stage_that_keeps_its_stores_keeps_their_stacks_and_tells_their_cost(make_stack: Callable[..., None]) -> None:
    make_stage(make_stack, "prod")
    prod = target_of(PROD)
    removal = plan_removal(prod)
    assert [stack.name for stack in removal.stacks] == ["GoChat-prod-Edge", "GoChat-prod-Services"]
    assert any(line.startswith("GoChat-prod-Data, a stack of stores") and "$" in line for line in removal.remains())
    assert removal.cost_of_remains() > 500
    removal.carry_out(tell=lambda line: None, pause=lambda seconds: None)
    assert standing() == {f"GoChat-prod-{part}" for part in ("Network", "Data", "Broker", "Media")}


def test_the_databases_protection_is_lifted_for_a_stage_that_goes(dev: Target, make_stack: Callable[..., None]) -> None:
    make_stack("GoChat-dev-Data", {"Topic": TOPIC})
    rds = boto3.client("rds")
    rds.create_db_cluster(
        DBClusterIdentifier="gochat-dev",
        Engine="aurora-mysql",
        MasterUsername="root",
        MasterUserPassword="password1",
        DeletionProtection=True,
    )
    plan_removal(dev).carry_out(tell=lambda line: None, pause=lambda seconds: None)
    assert rds.describe_db_clusters()["DBClusters"][0]["DeletionProtection"] is False


def test_whoever_registered_itself_leaves_the_registry_before_its_services_do(
    dev: Target, make_stack: Callable[..., None]
) -> None:
    make_stack("GoChat-dev-Discovery", {"Topic": TOPIC})
    client = boto3.client("servicediscovery")
    client.create_http_namespace(Name="gochat-dev")
    (namespace,) = client.list_namespaces()["Namespaces"]
    service = client.create_service(Name="im-gateway-load", NamespaceId=namespace["Id"])["Service"]["Id"]
    client.register_instance(ServiceId=service, InstanceId="g1", Attributes={"connections": "12"})
    plan_removal(dev).carry_out(tell=lambda line: None, pause=lambda seconds: None)
    assert client.list_instances(ServiceId=service)["Instances"] == []


def test_a_stack_that_is_being_worked_on_stops_it(dev: Target, make_stack: Callable[..., None]) -> None:
    from moto.cloudformation.models import cloudformation_backends

    make_stack("GoChat-dev-Edge", {"Topic": TOPIC})
    (stack,) = cloudformation_backends["123456789012"]["us-east-1"].stacks.values()
    stack.status = "UPDATE_IN_PROGRESS"
    with pytest.raises(Failure, match="is being worked on"):
        plan_removal(dev)


def test_nothing_to_destroy_is_fine(dev: Target) -> None:
    removal = plan_removal(dev)
    assert (removal.stacks, removal.kept_stacks) == ([], [])
