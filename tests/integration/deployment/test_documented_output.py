"""docs/deploy.md shows what ./dev deploy --check prints."""

import re
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import boto3
import pytest

from cdk_app.store_settings import Managed
from dev_cli.aws.target import Target
from dev_cli.deployment import account, preflight
from tests.unit.docs.pages import read_page

NEW_ACCOUNT = {"L-B99A9384": 10.0, "L-8A5B8E43": 10_000.0, "L-F678F1CE": 5.0}


class Quotas:
    """Service Quotas of an account that was opened today."""

    def get_service_quota(self, *, ServiceCode: str, QuotaCode: str) -> dict[str, Any]:  # noqa: N803 (boto3's names)
        del ServiceCode
        return {"Quota": {"Value": NEW_ACCOUNT.get(QuotaCode, 500.0)}}

    get_aws_default_service_quota = get_service_quota


class NewAccount(Target):
    """moto's account, with quotas that moto does not know."""

    def client(self, service: str) -> Any:
        """Give a client of an AWS service."""
        return Quotas() if service == "service-quotas" else super().client(service)


def shape(line: str) -> str:
    """Leave out of a line what differs from account to account."""
    line = re.sub(r"account \d{12}, as .*", "account, as somebody", line)
    return re.sub(r"use1-az\d(, use1-az\d)*", "zones", line)


def printed(target: Target) -> Iterator[str]:
    for finding in preflight.look(target):
        yield from map(shape, finding.render().splitlines())


@pytest.fixture
def new(dev: Target) -> Target:
    """The stage dev in an account that has never seen the CDK."""
    assert isinstance(dev.stage.stores, Managed)
    return NewAccount(stage=replace(dev.stage), session=dev.session, endpoint_url=None)


def test_the_sample_is_what_a_new_account_is_told(new: Target) -> None:
    sample = read_page("docs/deploy.md").block("text", holding="FAULT")
    told = set(printed(new))
    shown = [shape(line) for line in sample.splitlines() if line.strip() != "…" and "byte code" not in line]
    assert len(shown) > 6
    assert [line for line in shown if line not in told] == []


def test_after_the_bootstrap_it_says_so(new: Target) -> None:
    boto3.client("ssm").put_parameter(Name=account.BOOTSTRAP_PARAMETER, Value="30", Type="String")
    assert "ok     CDK bootstrap, version 30" in set(printed(new))
