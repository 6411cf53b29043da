"""The files of the page come with a release, change with the next one, and go with the stack."""

import io
import json
import zipfile
from collections.abc import Iterator
from typing import Any

import boto3
import pytest
from moto import mock_aws

from cdk_app.custom_resources import web_files
from tests.infrastructure.custom_resources.conftest import CloudFormation, Invocation

WANTED = {"SourceBucket": "assets", "SourceKey": "page.zip", "Bucket": "page", "ApiUrl": "https://api.example.org"}


@pytest.fixture
def s3(monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    """S3 with the bucket of the CDK's assets and the page's, both empty."""
    monkeypatch.setenv("AWS_DEFAULT_REGION", "us-east-1")
    for name in ("AWS_ENDPOINT_URL", "AWS_PROFILE"):
        monkeypatch.delenv(name, raising=False)
    with mock_aws():
        client = boto3.client("s3")
        for bucket in ("assets", "page"):
            client.create_bucket(Bucket=bucket)
        yield client


def release(s3: Any, **files: str) -> None:
    """Put the page's zip where the CDK puts assets."""
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as archive:
        for name, text in files.items():
            archive.writestr(name, text)
    s3.put_object(Bucket="assets", Key="page.zip", Body=packed.getvalue())


def names(s3: Any) -> set[str]:
    return {item["Key"] for item in s3.list_objects_v2(Bucket="page").get("Contents", [])}


def test_the_page_is_there_with_types_and_its_configuration(
    s3: Any, cloudformation: CloudFormation, invocation: Invocation
) -> None:
    release(s3, **{"index.html": "<!doctype html>", "gochat/client.js": "export {};", "package.json": "{}"})
    web_files.handle(cloudformation.event(**WANTED), invocation)
    assert cloudformation.answer["Status"] == "SUCCESS"
    assert names(s3) == {"index.html", "gochat/client.js", "config.json"}
    script = s3.get_object(Bucket="page", Key="gochat/client.js")
    assert (script["ContentType"], script["CacheControl"]) == ("text/javascript; charset=utf-8", "no-cache")
    config = s3.get_object(Bucket="page", Key="config.json")
    assert config["ContentType"] == "application/json"
    assert json.loads(config["Body"].read()) == {"api_url": "https://api.example.org"}


def test_the_next_release_takes_away_what_it_does_not_have_and_the_stack_takes_all(
    s3: Any, cloudformation: CloudFormation, invocation: Invocation
) -> None:
    release(s3, **{"index.html": "one", "old.js": "export {};"})
    web_files.handle(cloudformation.event(**WANTED), invocation)
    release(s3, **{"index.html": "two", "new.js": "export {};"})
    web_files.handle(cloudformation.event("Update", **WANTED), invocation)
    assert names(s3) == {"index.html", "new.js", "config.json"}
    assert s3.get_object(Bucket="page", Key="index.html")["Body"].read() == b"two"
    web_files.handle(cloudformation.event("Delete", **WANTED), invocation)
    assert names(s3) == set()
    assert [answer["Status"] for answer in cloudformation.answers] == ["SUCCESS"] * 3


def test_a_release_that_is_not_there_fails_the_deployment(
    s3: Any, cloudformation: CloudFormation, invocation: Invocation
) -> None:
    web_files.handle(cloudformation.event(**WANTED), invocation)
    assert cloudformation.answer["Status"] == "FAILED"
