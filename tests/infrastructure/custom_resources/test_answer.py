"""CloudFormation gets its answer on every path, or it would wait for an hour."""

import pytest

from cdk_app.custom_resources.answer import answer
from tests.infrastructure.custom_resources.conftest import CloudFormation, Invocation


def test_success_names_the_resource_and_its_attributes(cloudformation: CloudFormation, invocation: Invocation) -> None:
    answer(cloudformation.event(), invocation, "new-thing", lambda: {"Colour": "red"})
    assert cloudformation.answer == {
        "Status": "SUCCESS",
        "PhysicalResourceId": "new-thing",
        "StackId": "arn:aws:cloudformation:us-east-1:123456789012:stack/GoChat-dev-Services/1",
        "RequestId": "request-1",
        "LogicalResourceId": "Thing",
        "Data": {"Colour": "red"},
    }


def test_failure_tells_the_reason_and_where_to_read_on(cloudformation: CloudFormation, invocation: Invocation) -> None:
    def fail() -> dict[str, str]:
        raise LookupError("there is no paint")

    answer(cloudformation.event(), invocation, "new-thing", fail)
    assert cloudformation.answer["Status"] == "FAILED"
    assert (
        cloudformation.answer["Reason"] == f"LookupError: there is no paint (log stream {invocation.log_stream_name})"
    )


def test_an_endless_reason_is_cut_below_cloudformation_s_limit(
    cloudformation: CloudFormation, invocation: Invocation
) -> None:
    def fail() -> dict[str, str]:
        raise LookupError("x" * 10_000)

    answer(cloudformation.event(), invocation, "new-thing", fail)
    assert len(str(cloudformation.answer)) < 4_096


@pytest.mark.parametrize("kind", ["Update", "Delete"])
def test_an_existing_resource_keeps_its_name(cloudformation: CloudFormation, invocation: Invocation, kind: str) -> None:
    answer(cloudformation.event(kind), invocation, "another-name", dict)
    assert cloudformation.answer["PhysicalResourceId"] == "the-thing"


def test_the_answer_has_no_content_type_that_would_break_the_signature(
    cloudformation: CloudFormation, invocation: Invocation
) -> None:
    answer(cloudformation.event(), invocation, "new-thing", dict)
    assert cloudformation.content_types == [""]
