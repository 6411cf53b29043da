"""./dev deploy looks first, and says what a deployment would fail of."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import boto3
import pytest
from botocore.stub import Stubber

from cdk_app.stages import PROD
from cdk_app.store_settings import Managed
from dev_cli.aws.target import Target
from dev_cli.deployment import account, preflight, quotas, standing
from dev_cli.deployment.findings import Finding
from dev_cli.failure import Failure
from tests.integration.deployment.conftest import target_of


def bootstrap(version: str = "30") -> None:
    boto3.client("ssm").put_parameter(Name=account.BOOTSTRAP_PARAMETER, Value=version, Type="String")


def faults(target: Target) -> list[str]:
    return [finding.what for finding in preflight.look(target) if finding.verdict == "fault"]


def test_a_bootstrapped_account_is_ready(dev: Target) -> None:
    bootstrap()
    told: list[str] = []
    preflight.check(dev, tell=told.append)
    assert any("account 123456789012" in line for line in told)
    assert any("a new stage" in line for line in told)
    assert any("VPC: networks of the region: 5, 1 needed" in line for line in told)


def test_nothing_is_changed_by_looking(dev: Target) -> None:
    bootstrap()
    list(preflight.look(dev))
    assert boto3.client("cloudformation").describe_stacks()["Stacks"] == []
    assert boto3.client("secretsmanager").list_secrets()["SecretList"] == []


def test_without_a_bootstrap_it_says_which_command_makes_one(dev: Target) -> None:
    with pytest.raises(Failure, match="can't be deployed"):
        preflight.check(dev, tell=lambda line: None)
    (finding,) = [finding for finding in preflight.look(dev) if finding.verdict == "fault"]
    assert "not been bootstrapped" in finding.what
    assert "./dev deploy --stage dev --bootstrap" in finding.advice


def test_an_old_bootstrap_has_to_be_renewed(dev: Target) -> None:
    bootstrap("3")
    assert any("version 3" in fault for fault in faults(dev))


def test_another_account_than_the_stages_own_is_refused_before_anything_else(dev: Target) -> None:
    theirs = replace(dev, stage=replace(dev.stage, account="210987654321"))
    (fault,) = faults(theirs)
    assert "123456789012" in fault
    assert "210987654321" in fault


def test_a_zone_that_the_account_lacks_is_named(dev: Target) -> None:
    bootstrap()
    assert isinstance(dev.stage.stores, Managed)
    stores = replace(dev.stage.stores, zone_ids=("use1-az1", "use1-az9"))
    elsewhere = replace(dev, stage=replace(dev.stage, stores=stores))
    (fault,) = faults(elsewhere)
    assert "use1-az9" in fault


@pytest.mark.parametrize("name", ["gochat-dev/token-signing", "gochat-dev/web-push"])
def test_a_secret_of_a_destroyed_stage_is_in_the_way(dev: Target, name: str) -> None:
    bootstrap()
    boto3.client("secretsmanager").create_secret(Name=name, SecretString="{}")
    (fault,) = faults(dev)
    assert f"the secret {name} is left from before" in fault


def test_logs_of_a_stage_that_keeps_them_are_taken_over() -> None:
    boto3.client("logs").create_log_group(logGroupName="/aws/lambda/gochat-prod-logic-rpc")
    assert list(standing.look_at_remains(target_of(PROD), [])) == []


def test_files_and_logs_of_a_destroyed_stage_are_in_the_way(dev: Target) -> None:
    bootstrap()
    boto3.client("s3").create_bucket(Bucket="gochat-dev-media-123456789012-us-east-1")
    boto3.client("logs").create_log_group(logGroupName="/aws/lambda/gochat-dev-logic-rpc")
    found = faults(dev)
    assert any("gochat-dev-media-123456789012-us-east-1" in fault for fault in found)
    assert any("/aws/lambda/gochat-dev-logic-rpc" in fault for fault in found)


def test_what_stands_with_its_stack_is_in_nobodys_way(dev: Target, make_stack: Callable[..., None]) -> None:
    bootstrap()
    boto3.client("secretsmanager").create_secret(Name="gochat-dev/token-signing", SecretString="{}")
    make_stack("GoChat-dev-Services", {"Topic": {"Type": "AWS::SNS::Topic"}})
    assert faults(dev) == []


@pytest.mark.parametrize(
    "status", ["ROLLBACK_COMPLETE", "UPDATE_ROLLBACK_FAILED", "DELETE_FAILED", "UPDATE_IN_PROGRESS"]
)
def test_a_stuck_or_busy_stack_stops_it(
    dev: Target, make_stack: Callable[..., None], status: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    bootstrap()
    make_stack("GoChat-dev-Data", {"Topic": {"Type": "AWS::SNS::Topic"}})
    from moto.cloudformation.models import cloudformation_backends

    (stack,) = cloudformation_backends["123456789012"]["us-east-1"].stacks.values()
    stack.status = status
    (fault,) = faults(dev)
    assert f"GoChat-dev-Data is {status}" in fault


def test_what_refuses_to_be_deleted_is_told_with_how_it_stops_to(dev: Target, make_stack: Callable[..., None]) -> None:
    bootstrap()
    make_stack("GoChat-dev-Data", {"Topic": {"Type": "AWS::SNS::Topic"}})
    from moto.cloudformation.models import cloudformation_backends

    (stack,) = cloudformation_backends["123456789012"]["us-east-1"].stacks.values()
    stack.status = "ROLLBACK_FAILED"
    stack.enable_termination_protection = True
    (fault,) = [finding for finding in preflight.look(dev) if finding.verdict == "fault"]
    advice = fault.render()
    assert advice.index("--no-deletion-protection") < advice.index("--no-enable-termination-protection")
    assert advice.index("--no-enable-termination-protection") < advice.index("delete-stack")


def test_stacks_of_another_stage_do_not_matter(dev: Target, make_stack: Callable[..., None]) -> None:
    bootstrap()
    make_stack("GoChat-prod-Data", {"Topic": {"Type": "AWS::SNS::Topic"}})
    assert faults(dev) == []


def quota_findings(target: Target, values: dict[str, float], *, deployed: bool = False) -> dict[str, Finding]:
    """Give the findings by quota, with Service Quotas answering these values."""
    client = boto3.client("service-quotas")
    found: dict[str, Finding] = {}
    with Stubber(client) as stub:
        for quota in quotas.quotas_of(target.stage):
            expected = {"ServiceCode": quota.service, "QuotaCode": quota.code}
            answer = {"Quota": {"Value": values.get(quota.code, 10_000.0)}}
            stub.add_response("get_service_quota", answer, expected)

        class Stubbed(Target):
            def client(self, service: str) -> Any:
                return client if service == "service-quotas" else super().client(service)

        stubbed = Stubbed(stage=target.stage, session=target.session, endpoint_url=None)
        for finding, quota in zip(
            quotas.look_at_quotas(stubbed, deployed=deployed), quotas.quotas_of(target.stage), strict=True
        ):
            found[quota.code] = finding
    return found


def test_a_new_accounts_concurrency_of_ten_stops_prod_and_makes_dev_look() -> None:
    prod = quota_findings(target_of(PROD), {"L-B99A9384": 10})["L-B99A9384"]
    assert prod.verdict == "fault"
    assert "servicequotas/home/services/lambda/quotas/L-B99A9384" in prod.advice


def test_in_dev_it_is_only_told(dev: Target) -> None:
    assert quota_findings(dev, {"L-B99A9384": 10})["L-B99A9384"].verdict == "warning"
    assert quota_findings(dev, {"L-B99A9384": 1_000})["L-B99A9384"].verdict == "ok"


def test_the_last_network_is_taken_only_if_it_is_not_the_stages_own(dev: Target) -> None:
    # moto's account has one network from the start.
    assert quota_findings(dev, {"L-F678F1CE": 1})["L-F678F1CE"].verdict == "fault"
    assert quota_findings(dev, {"L-F678F1CE": 1}, deployed=True)["L-F678F1CE"].verdict == "ok"


def test_a_quota_that_cannot_be_read_stops_nothing(dev: Target) -> None:
    # moto knows the quotas of VPC alone.
    found = list(quotas.look_at_quotas(dev, deployed=False))
    assert {finding.verdict for finding in found} == {"ok", "warning"}
