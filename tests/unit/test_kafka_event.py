import base64
from typing import Any

from gochat_aws.kafka_event import IncomingRecord, answer_with_failures, dead_letter, read_kafka_event
from gochat_contracts.records import DEAD_LETTER_TOPIC, DeadLetter, decode


def raw(offset: int, **changes: Any) -> dict[str, Any]:
    return {
        "topic": "t",
        "partition": 2,
        "offset": offset,
        "timestamp": 1545084650987,
        "timestampType": "CREATE_TIME",
        "key": base64.b64encode(b"k").decode(),
        "value": base64.b64encode(b"v").decode(),
        "headers": [{"one": [104, 105]}],
        **changes,
    }


def record(offset: int, *, key: bytes | None = b"k", partition: int = 0) -> IncomingRecord:
    return IncomingRecord(
        topic="t", partition=partition, offset=offset, timestamp_ms=0, key=key, value=b"v", headers={}
    )


def offsets(records: list[IncomingRecord], failed: set[int]) -> list[int]:
    return [one["itemIdentifier"]["offset"] for one in answer_with_failures(records, failed)["batchItemFailures"]]


def test_an_event_is_read_partition_by_partition_in_order() -> None:
    event = {"records": {"t-2": [raw(7), raw(8)], "t-0": [raw(3, partition=0)]}}
    found = read_kafka_event(event)
    assert [(one.partition, one.offset) for one in found] == [(2, 7), (2, 8), (0, 3)]
    assert (found[0].key, found[0].value, found[0].timestamp_ms) == (b"k", b"v", 1545084650987)
    assert found[0].header("one") == "hi"
    assert found[0].header("two") is None


def test_header_octets_are_javas_signed_bytes() -> None:
    (found,) = read_kafka_event({"records": {"t-2": [raw(1, headers=[{"name": [-61, -68]}])]}})
    assert found.header("name") == "ü"


def test_a_record_may_lack_key_value_and_headers() -> None:
    (found,) = read_kafka_event({"records": {"t-2": [raw(1, key=None, value=None, headers=None)]}})
    assert (found.key, found.value, dict(found.headers)) == (None, None, {})


def test_with_a_failed_record_every_later_one_of_its_key_fails() -> None:
    records = [record(0, key=b"a"), record(1, key=b"b"), record(2, key=b"a"), record(3, key=b"b")]
    assert offsets(records, {0}) == [0, 2]
    assert offsets(records, set()) == []
    assert offsets(records, {3}) == [3]


def test_records_without_a_key_and_those_of_other_partitions_stand_alone() -> None:
    records = [record(0, key=None), record(1, key=None), record(2), record(2, partition=1)]
    assert offsets(records, {0, 2}) == [0, 2]


def test_a_failure_is_named_by_topic_partition_and_offset() -> None:
    answer = answer_with_failures([record(15)], {0})
    assert answer == {"batchItemFailures": [{"itemIdentifier": {"partition": "t-0", "offset": 15}}]}


def test_a_dead_letter_holds_the_record_as_it_came() -> None:
    outgoing = dead_letter(record(4, key=None), reason="unreadable", detail="x" * 5000, now_ms=9)
    letter = decode(DeadLetter, outgoing.value)
    assert outgoing.topic == DEAD_LETTER_TOPIC
    assert (letter.topic, letter.partition, letter.offset, letter.reason) == ("t", 0, 4, "unreadable")
    assert (letter.key, base64.b64decode(letter.value or "")) == (None, b"v")
    assert len(letter.detail) == 1000
