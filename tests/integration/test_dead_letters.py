"""Dead letters on a real broker: listed by time, brought back as they came, and noted beside themselves."""

import time
from collections.abc import Iterator
from typing import Any

import pytest
from kafka import KafkaConsumer, TopicPartition

from gochat_aws.kafka_event import IncomingRecord, dead_letter
from gochat_aws.kafka_login import KafkaSettings
from gochat_aws.kafka_reader import KafkaRecordReader
from gochat_contracts.commands import MarkRead
from gochat_contracts.records import DEAD_LETTER_TOPIC, UPSTREAM_TOPIC, Sender, UpstreamRecord, encode
from gochat_contracts.redrives import FROM_HEADER
from gochat_core.errors import Unavailable
from gochat_core.types import ConversationId, DeviceId, Seq, SessionId, UserId
from local_stage.services.kafka import KafkaBroker, start_tansu
from task.redrive import handler
from task.redrive.wiring import Wiring, build

CHAT = ConversationId("cd" * 16)
VALUE = encode(
    UpstreamRecord(
        frame_id="1",
        sender=Sender(user_id=UserId(1), device_id=DeviceId("phone"), session_id=SessionId(1)),
        accepted_at_ms=1,
        command=MarkRead(conversation_id=CHAT, seq=Seq(1)),
    )
)


@pytest.fixture
def broker(tmp_path_factory: pytest.TempPathFactory) -> Iterator[KafkaBroker]:
    """Run a broker of the test's own: the session's holds what other tests gave up."""
    own = start_tansu(tmp_path_factory.mktemp("kafka"))
    own.create_topics(**{UPSTREAM_TOPIC: 1, DEAD_LETTER_TOPIC: 2})
    yield own
    own.stop()


@pytest.fixture
def desk(broker: KafkaBroker, monkeypatch: pytest.MonkeyPatch) -> Iterator[Wiring]:
    """Stand the function's own wiring on the broker, behind its handler."""
    wiring = build({"GOCHAT_STAGE": "test", "GOCHAT_KAFKA_BOOTSTRAP": broker.address})
    monkeypatch.setattr(handler, "wiring", lambda: wiring)
    yield wiring
    wiring.producer.discard()


def give_up(wiring: Wiring, *, now_ms: int, value: bytes = VALUE, key: str = CHAT) -> None:
    record = IncomingRecord(
        topic=UPSTREAM_TOPIC,
        partition=0,
        offset=4,
        timestamp_ms=0,
        key=key.encode(),
        value=value,
        headers={"trace": b"1-2-3"},
    )
    wiring.producer.produce([dead_letter(record, reason="unreadable", detail="d", now_ms=now_ms)])


def ask(operation: str, **more: Any) -> dict[str, Any]:
    return handler.handle({"operation": operation, **more}, None)


def upstream(broker: KafkaBroker) -> list[Any]:
    """Read what stands in the upstream topic."""
    consumer = KafkaConsumer(bootstrap_servers=broker.address, auto_offset_reset="earliest", fetch_max_wait_ms=20)
    partition = TopicPartition(UPSTREAM_TOPIC, 0)
    consumer.assign([partition])
    try:
        (end,) = consumer.end_offsets([partition]).values()
        found: list[Any] = []
        deadline = time.monotonic() + 10
        while len(found) < end and time.monotonic() < deadline:
            for batch in consumer.poll(timeout_ms=100).values():
                found += batch
        return found
    finally:
        consumer.close()


def test_letters_are_listed_brought_back_and_noted(broker: KafkaBroker, desk: Wiring) -> None:
    assert ask("list")["letters"] == []
    began_ms = int(time.time() * 1000)
    give_up(desk, now_ms=began_ms)
    give_up(desk, now_ms=began_ms + 1, value=b"no JSON", key="other")
    (one, other) = ask("list")["letters"]
    assert (one["key"], one["why_not"], one["redriven_at_ms"]) == (CHAT, None, None)
    assert (other["key"], bool(other["why_not"])) == ("other", True)
    assert len(ask("list", filters={"since_ms": began_ms - 60_000})["letters"]) == 2
    assert ask("list", filters={"since_ms": began_ms + 3_600_000})["letters"] == []

    places = [one["place"], other["place"]]
    assert [told["outcome"] for told in ask("redrive", places=places)["verdicts"]] == ["ready", "refused"]
    assert upstream(broker) == []
    done = ask("redrive", places=places, dry_run=False)
    assert [told["outcome"] for told in done["verdicts"]] == ["redriven", "refused"]
    (back,) = upstream(broker)
    assert (back.key, back.value) == (CHAT.encode(), VALUE)
    assert dict(back.headers) == {"trace": b"1-2-3", FROM_HEADER: one["place"].encode()}
    again = ask("redrive", places=places, dry_run=False)
    assert [told["outcome"] for told in again["verdicts"]] == ["already", "refused"]
    assert len(upstream(broker)) == 1
    assert ask("list")["letters"][0]["redriven_at_ms"] is not None
    assert ask("show", place=other["place"])["detail"] == "d"


def test_a_reading_is_bounded_and_says_so(broker: KafkaBroker, desk: Wiring) -> None:
    for number in range(5):
        give_up(desk, now_ms=number)
    reader = KafkaRecordReader(KafkaSettings(kafka_bootstrap=broker.address), client_id="test", timeout_s=10)
    few = reader.read(DEAD_LETTER_TOPIC, since_ms=0, max_records=1, max_bytes=1_000_000)
    assert (len(few.records), few.complete) == (1, False)
    all_of = reader.read(DEAD_LETTER_TOPIC, since_ms=0, max_records=100, max_bytes=1_000_000)
    assert (len(all_of.records), all_of.complete) == (5, True)
    assert reader.read("no-such-topic", since_ms=0, max_records=1, max_bytes=1).records == ()


def test_without_a_broker_the_operator_is_told(desk: Wiring, broker: KafkaBroker) -> None:
    broker.stop()
    reader = KafkaRecordReader(KafkaSettings(kafka_bootstrap=broker.address), client_id="test", timeout_s=1)
    with pytest.raises(Unavailable):
        reader.read(DEAD_LETTER_TOPIC, since_ms=0, max_records=1, max_bytes=1)
