import base64
import json

import pytest
from aws_lambda_powertools.utilities.data_classes.kafka_event import KafkaEvent

from local_stage.mappings.config import MappingConfig, RetryPolicy
from local_stage.mappings.failures import describe_batch, describe_for_s3, describe_record, kafka_topic
from local_stage.mappings.records import Envelope, Record, make_record
from local_stage.mappings.verdicts import PAYLOAD_TOO_LARGE, RETRIES_EXHAUSTED

ARN = "arn:aws:kafka:us-east-1:000000000000:cluster/c/1"
MANAGED = Envelope(event_source="aws:kafka", event_source_arn=ARN, bootstrap="b:9098")
CONFIG = MappingConfig(
    uuid="u",
    function_arn="arn:f",
    topic="my-topic",
    group_id="g",
    event_source="aws:kafka",
    event_source_arn=ARN,
    bootstrap="b:9098",
    batch_size=1,
    window_s=0,
    starting_position="LATEST",
    starting_timestamp_ms=None,
    patterns=(),
    policy=RetryPolicy(),
    destination=None,
)


def record(offset: int, partition: int = 0, *, key: bytes | None = b"k", value: bytes | None = b"v") -> Record:
    return make_record(
        topic="my-topic",
        partition=partition,
        offset=offset,
        timestamp_ms=1_749_116_692_330,
        timestamp_type="CREATE_TIME",
        key=key,
        value=value,
        headers=[("trace", b"\x00\x7f\x80\xff"), ("trace", None)],
    )


def test_an_event_has_the_shape_that_lambda_documents() -> None:
    event = json.loads(MANAGED.event([record(15), record(0, 1), record(16)]))
    assert {name: event[name] for name in ("eventSource", "eventSourceArn", "bootstrapServers")} == {
        "eventSource": "aws:kafka",
        "eventSourceArn": ARN,
        "bootstrapServers": "b:9098",
    }
    assert {place: [item["offset"] for item in items] for place, items in event["records"].items()} == {
        "my-topic-0": [15, 16],
        "my-topic-1": [0],
    }
    assert event["records"]["my-topic-0"][0] == {
        "topic": "my-topic",
        "partition": 0,
        "offset": 15,
        "timestamp": 1_749_116_692_330,
        "timestampType": "CREATE_TIME",
        "key": base64.b64encode(b"k").decode(),
        "value": base64.b64encode(b"v").decode(),
        "headers": [{"trace": [0, 127, -128, -1]}, {"trace": []}],
    }


def test_powertools_reads_the_event_back() -> None:
    event = KafkaEvent(json.loads(MANAGED.event([record(15)])))
    (read,) = event.records
    assert (read.decoded_key, read.decoded_value) == (b"k", b"v")
    assert event.decoded_bootstrap_servers == ["b:9098"]


def test_a_self_managed_source_has_no_arn() -> None:
    envelope = Envelope(event_source="SelfManagedKafka", event_source_arn=None, bootstrap="b:1")
    assert json.loads(envelope.event([])) == {
        "eventSource": "SelfManagedKafka",
        "bootstrapServers": "b:1",
        "records": {},
    }


def test_a_missing_key_is_left_away_and_a_tombstone_is_null() -> None:
    (item,) = json.loads(MANAGED.event([record(1, key=None, value=None)]))["records"]["my-topic-0"]
    assert "key" not in item
    assert item["value"] is None


@pytest.mark.parametrize("count", [1, 3])
def test_the_sizes_told_beforehand_bound_the_event(count: int) -> None:
    records = [record(offset, partition=offset) for offset in range(count)]
    told = MANAGED.size_bytes(places=count) + sum(item.size_bytes for item in records)
    assert len(MANAGED.event(records)) <= told


def test_a_given_up_batch_is_described_as_in_the_guide_s_example() -> None:
    records = [record(5), record(7), record(0, 1)]
    document = describe_batch(CONFIG, MANAGED, records, condition=RETRIES_EXHAUSTED, invocations=4, now_ms=1_000)
    assert document["requestContext"].pop("requestId")
    assert document == {
        "requestContext": {
            "functionArn": "arn:f",
            "condition": "RetryAttemptsExhausted",
            "approximateInvokeCount": 4,
        },
        "responseContext": {"statusCode": 200, "executedVersion": "$LATEST", "functionError": "Unhandled"},
        "version": "1.0",
        "timestamp": "1970-01-01T00:00:01.000Z",
        "KafkaBatchInfo": {
            "batchSize": 3,
            "eventSourceArn": ARN,
            "bootstrapServers": "b:9098",
            "payloadSize": len(MANAGED.event(records)),
            "recordsInfo": {
                "my-topic-0": {
                    "firstRecordOffset": "5",
                    "lastRecordOffset": "7",
                    "firstRecordTimestamp": "2025-06-05T09:44:52.330Z",
                    "lastRecordTimestamp": "2025-06-05T09:44:52.330Z",
                },
                "my-topic-1": {
                    "firstRecordOffset": "0",
                    "lastRecordOffset": "0",
                    "firstRecordTimestamp": "2025-06-05T09:44:52.330Z",
                    "lastRecordTimestamp": "2025-06-05T09:44:52.330Z",
                },
            },
        },
    }


def test_s3_gets_the_whole_event_as_an_escaped_string() -> None:
    records = [record(5)]
    document = describe_batch(CONFIG, MANAGED, records, condition=RETRIES_EXHAUSTED, invocations=1, now_ms=0)
    assert json.loads(describe_for_s3(document, MANAGED, records)["payload"]) == json.loads(MANAGED.event(records))


def test_a_kafka_topic_gets_one_document_a_record_with_its_event_as_an_object() -> None:
    document = describe_record(CONFIG, MANAGED, record(5), condition=RETRIES_EXHAUSTED, invocations=3, now_ms=0)
    assert document["requestContext"]["condition"] == "RetriesExhausted"
    assert document["KafkaBatchInfo"]["recordInfo"] == {"offset": "5", "timestamp": "2025-06-05T09:44:52.330Z"}
    assert document["payload"] == json.loads(MANAGED.event([record(5)]))


def test_a_record_too_large_to_send_has_no_response() -> None:
    document = describe_batch(CONFIG, MANAGED, [record(5)], condition=PAYLOAD_TOO_LARGE, invocations=0, now_ms=0)
    assert document["responseContext"] is None


def test_a_kafka_destination_is_told_from_an_arn() -> None:
    assert kafka_topic("kafka://dead-letters") == "dead-letters"
    assert kafka_topic("arn:aws:sqs:us-east-1:1:q") is None
