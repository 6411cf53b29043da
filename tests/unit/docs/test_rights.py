"""The policy that docs/deploy.md gives to whoever deploys allows what the commands call."""

import json
import re
from fnmatch import fnmatchcase

import botocore.session
import pytest
from botocore import xform_name

from tests.unit.docs.pages import ROOT, read_page

SERVICES = {
    "cloudformation": "cloudformation",
    "ec2": "ec2",
    "iam": "iam",
    "kafka": "kafka",
    "lambda": "lambda",
    "logs": "logs",
    "rds": "rds",
    "s3": "s3",
    "secretsmanager": "secretsmanager",
    "servicediscovery": "servicediscovery",
    "service-quotas": "servicequotas",
    "ssm": "ssm",
}
"""What IAM calls the services that the commands call; asking who one is takes no right."""

NAMED_OTHERWISE = {"s3:ListBuckets": "s3:ListAllMyBuckets", "s3:ListObjectsV2": "s3:ListBucket"}
NAMED_OTHERWISE |= {"s3:DeleteObjects": "s3:DeleteObject", "servicequotas:GetAwsDefaultServiceQuota": ""}
"""Operations whose action has another name (service authorization reference)."""

NAMED_ALIKE = {"servicequotas:ListServices"}
"""What is called of another service, Cloud Map, alone."""

FOLDERS = ("aws", "deployment", "signing_keys")


def calls() -> set[str]:
    """Collect the actions that the commands need: attributes called and paginators named, of the services used."""
    sources = [path.read_text() for folder in FOLDERS for path in (ROOT / "dev_cli" / folder).rglob("*.py")]
    text = "\n".join(sources)
    named = set(re.findall(r"\.(\w+)\b", text)) | set(re.findall(r'get_paginator\("(\w+)"\)', text))
    services = set(re.findall(r'client\("([\w-]+)"\)', text)) - {"sts"}
    assert services <= SERVICES.keys()
    session = botocore.session.get_session()
    found: set[str] = set()
    for service in services:
        for operation in session.get_service_model(service).operation_names:
            if xform_name(operation) in named:
                action = f"{SERVICES[service]}:{operation}"
                found.add(NAMED_OTHERWISE.get(action, action))
    return found - NAMED_ALIKE


def allowed() -> list[str]:
    policy = json.loads(read_page("docs/deploy.md").block("json", holding="sts:AssumeRole"))
    return [action for statement in policy["Statement"] for action in _listed(statement["Action"])]


def _listed(value: str | list[str]) -> list[str]:
    return [value] if isinstance(value, str) else value


def for_the_keys() -> list[str]:
    return re.findall(r"`(secretsmanager:\w+)`", read_page("docs/deploy.md").prose)


@pytest.mark.parametrize("action", sorted(calls()))
def test_whoever_deploys_may_do_what_the_commands_call(action: str) -> None:
    assert any(fnmatchcase(action, pattern) for pattern in [*allowed(), *for_the_keys()])


def test_nobody_is_given_more() -> None:
    needed = {*calls(), "sts:AssumeRole"}
    assert [pattern for pattern in allowed() if not any(fnmatchcase(action, pattern) for action in needed)] == []
