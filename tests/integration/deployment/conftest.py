"""An AWS account of moto's, and the stages as targets in it."""

import json
from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Any

import boto3
import pytest
from moto import mock_aws

from cdk_app.settings import Stage
from cdk_app.stages import DEV
from cdk_app.store_settings import Managed
from dev_cli.aws.target import Target

MOTO_ZONES = ("use1-az6", "use1-az1")
"""Zones that moto's us-east-1 has."""


@pytest.fixture(autouse=True)
def account(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Stand in for the account."""
    monkeypatch.setenv("AWS_DEFAULT_REGION", "us-east-1")
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "testing")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "testing")
    for name in ("AWS_ENDPOINT_URL", "AWS_PROFILE"):
        monkeypatch.delenv(name, raising=False)
    # moto's RDS offers instances of other engines alone.
    offered = [{"Engine": "aurora-mysql", "AvailabilityZones": [{"Name": f"us-east-1{zone}"} for zone in "abcdef"]}]
    orderable = "moto.rds.models.RDSBackend.describe_orderable_db_instance_options"
    monkeypatch.setattr(orderable, lambda *_: offered)
    with mock_aws():
        yield


def target_of(stage: Stage) -> Target:
    """Give a stage's target in this account."""
    return Target(stage=stage, session=boto3.Session(region_name=stage.region), endpoint_url=None)


@pytest.fixture
def dev() -> Target:
    """The stage dev, in zones that moto has."""
    assert isinstance(DEV.stores, Managed)
    return target_of(replace(DEV, stores=replace(DEV.stores, zone_ids=MOTO_ZONES)))


@pytest.fixture
def make_stack() -> Callable[..., None]:
    """Make a stack of a few resources."""

    def make(name: str, resources: dict[str, Any], parameters: dict[str, str] | None = None) -> None:
        declared = {key: {"Type": "String"} for key in parameters or {}}
        template = {"Resources": resources, **({"Parameters": declared} if declared else {})}
        boto3.client("cloudformation", region_name="us-east-1").create_stack(
            StackName=name,
            TemplateBody=json.dumps(template),
            Parameters=[{"ParameterKey": key, "ParameterValue": value} for key, value in (parameters or {}).items()],
        )

    return make
