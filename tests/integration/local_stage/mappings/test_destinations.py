import json
import threading
from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import Any

import boto3
import pytest
from botocore.exceptions import ClientError
from moto import mock_aws

from local_stage.mappings.aws import LocalAws
from local_stage.mappings.config import MappingConfig, RetryPolicy
from local_stage.mappings.delivery import Delivery
from local_stage.mappings.records import Record, make_record
from local_stage.mappings.status import MappingStatus
from local_stage.mappings.verdicts import FunctionFailed, Outcome

REGION = "us-east-1"
CONFIG = MappingConfig(
    uuid="11111111-2222",
    function_arn="arn:aws:lambda:us-east-1:000000000000:function:f",
    topic="t",
    group_id="g",
    event_source="SelfManagedKafka",
    event_source_arn=None,
    bootstrap="127.0.0.1:9092",
    batch_size=10,
    window_s=0,
    starting_position="TRIM_HORIZON",
    starting_timestamp_ms=None,
    patterns=(),
    policy=RetryPolicy(max_retries=1),
    destination=None,
)
RECORDS = [
    make_record(
        topic="t",
        partition=0,
        offset=offset,
        timestamp_ms=1_700_000_000_000,
        timestamp_type="CREATE_TIME",
        key=None,
        value=b"v",
        headers=[],
    )
    for offset in (4, 5)
]


@pytest.fixture(autouse=True)
def aws(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "testing")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "testing")
    monkeypatch.setenv("AWS_DEFAULT_REGION", REGION)
    with mock_aws():
        yield


class FailingFunction(LocalAws):
    """The destinations are moto's; the function always raises."""

    def invoke(self, function_arn: str, event: bytes, *, honours_item_failures: bool) -> Outcome:
        """Raise."""
        return FunctionFailed(error="Unhandled")


def give_up(
    destination: str, *, stopping: threading.Event | None = None, aws: LocalAws | None = None
) -> tuple[list[Record], MappingStatus]:
    """Deliver a batch that fails for good to a destination; return what was reported as done, and the status."""
    status = MappingStatus(uuid=CONFIG.uuid, function="f", topic="t", group="g")
    done: list[Record] = []

    def finish(records: Sequence[Record]) -> None:
        done.extend(records)

    delivery = Delivery(
        replace(CONFIG, destination=destination),
        aws or FailingFunction(None, region=REGION),
        stopping=stopping or threading.Event(),
        status=status,
        finish=finish,
        max_wait_s=0.01,
    )
    delivery.deliver(RECORDS)
    return done, status


def expect_document(document: dict[str, Any]) -> None:
    assert document["requestContext"]["condition"] == "RetryAttemptsExhausted"
    assert document["requestContext"]["approximateInvokeCount"] == 2
    info = document["KafkaBatchInfo"]
    assert (info["batchSize"], info["bootstrapServers"]) == (2, "127.0.0.1:9092")
    assert info["recordsInfo"]["t-0"]["firstRecordOffset"] == "4"
    assert info["recordsInfo"]["t-0"]["lastRecordOffset"] == "5"


def test_a_queue_gets_the_batch_without_its_payload() -> None:
    sqs = boto3.client("sqs")
    url = sqs.create_queue(QueueName="dead")["QueueUrl"]
    done, status = give_up("arn:aws:sqs:us-east-1:123456789012:dead")
    (message,) = sqs.receive_message(QueueUrl=url)["Messages"]
    document = json.loads(message["Body"])
    expect_document(document)
    assert "payload" not in document
    assert (done, status.discarded, status.failures) == (RECORDS, 2, 2)


def test_a_topic_gets_the_batch_without_its_payload() -> None:
    sns, sqs = boto3.client("sns"), boto3.client("sqs")
    url = sqs.create_queue(QueueName="listener")["QueueUrl"]
    topic = sns.create_topic(Name="dead")["TopicArn"]
    sns.subscribe(TopicArn=topic, Protocol="sqs", Endpoint="arn:aws:sqs:us-east-1:123456789012:listener")
    give_up(topic)
    (message,) = sqs.receive_message(QueueUrl=url)["Messages"]
    expect_document(json.loads(json.loads(message["Body"])["Message"]))


def test_a_bucket_gets_the_batch_with_the_whole_event() -> None:
    s3 = boto3.client("s3")
    s3.create_bucket(Bucket="dead")
    give_up("arn:aws:s3:::dead")
    (entry,) = s3.list_objects_v2(Bucket="dead")["Contents"]
    assert entry["Key"].startswith(f"aws/lambda/{CONFIG.uuid}/")
    document = json.loads(s3.get_object(Bucket="dead", Key=entry["Key"])["Body"].read())
    expect_document(document)
    assert [record["offset"] for record in json.loads(document["payload"])["records"]["t-0"]] == [4, 5]


class StoppedAtRefusal(FailingFunction):
    """The poller is told to stop as soon as the destination has refused."""

    stopping: threading.Event

    def send(self, destination_arn: str, body: str, *, object_key: str) -> None:
        """Send, and stop the poller."""
        try:
            super().send(destination_arn, body, object_key=object_key)
        finally:
            self.stopping.set()


@pytest.mark.parametrize(
    "destination", ["arn:aws:sqs:us-east-1:123456789012:missing", "arn:aws:events:::bus", "no-arn"]
)
def test_records_that_the_destination_does_not_take_are_not_done(destination: str) -> None:
    aws = StoppedAtRefusal(None, region=REGION)
    aws.stopping = threading.Event()
    done, status = give_up(destination, stopping=aws.stopping, aws=aws)
    assert done == []
    assert status.discarded == 0
    assert destination in (status.last_error or "")


class LateQueue(FailingFunction):
    """The queue is made after the first attempt to send to it."""

    def send(self, destination_arn: str, body: str, *, object_key: str) -> None:
        """Send, and make up for a missing queue."""
        try:
            super().send(destination_arn, body, object_key=object_key)
        except ClientError:
            boto3.client("sqs").create_queue(QueueName="late")
            raise


def test_a_destination_that_comes_late_gets_the_records_then() -> None:
    done, status = give_up("arn:aws:sqs:us-east-1:123456789012:late", aws=LateQueue(None, region=REGION))
    assert done == RECORDS
    assert "late" in (status.last_error or "")


def test_without_a_destination_records_are_dropped_and_counted() -> None:
    done, status = give_up("")
    assert (done, status.discarded) == (RECORDS, 2)
