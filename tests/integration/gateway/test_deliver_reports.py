"""What `deliver` reports is dealt with, against real MySQL, Redis and Kafka."""

import json
import time
from typing import Any

import msgspec
import pytest

from gateway.websocket import handler
from gochat_contracts.records import (
    DEAD_LETTER_TOPIC,
    DeadConnections,
    DeadLetter,
    DeadLetters,
    MessageRef,
    MissedBy,
    OfflineTask,
)
from gochat_core.types import ConnectionId, ConversationId, Seq
from tests.fakes.producer import InMemoryProducer
from tests.integration.gateway.conftest import (
    Gateway,
    Socket,
    use,
)


def report(*dead: MissedBy) -> dict[str, Any]:
    event: dict[str, Any] = json.loads(msgspec.json.encode(DeadConnections(connections=dead)))
    return event


def missed_by(socket: Socket, *seqs: int) -> MissedBy:
    return MissedBy(
        user_id=socket.device.user_id,
        device_id=socket.device.device_id,
        connection_id=ConnectionId(socket.connection_id),
        missed=tuple(MessageRef(conversation_id=ConversationId("c" * 32), seq=Seq(seq)) for seq in seqs),
    )


def test_a_dead_connection_is_removed_and_what_it_missed_takes_the_offline_path_once(gateway: Gateway) -> None:
    device = gateway.log_in()
    socket = gateway.connect(device)

    for _ in range(2):  # Lambda may run an asynchronous invocation twice
        handler.handle(report(missed_by(socket, 3, 4)), None)

    assert gateway.registered(device) == []
    tasks = gateway.tasks_of(device, 2)
    assert len({task.task_id for task in tasks}) == 1
    assert isinstance(tasks[0].task, OfflineTask)
    assert tasks[0].task.seqs == (3, 4)


def test_a_report_never_removes_a_successor_and_whoever_has_another_device_needs_no_push(gateway: Gateway) -> None:
    phone = gateway.log_in()
    laptop = gateway.log_in(phone.user_id, "laptop")
    first, second, third = gateway.connect(phone), gateway.connect(phone), gateway.connect(laptop)

    handler.handle(report(missed_by(first, 1), missed_by(third, 1)), None)

    assert [one.connection_id for one in gateway.registered(phone)] == [second.connection_id]
    assert gateway.tasks_of(phone, 0) == []


def test_a_report_that_can_not_be_dealt_with_raises_so_that_lambda_repeats_it(
    gateway: Gateway, monkeypatch: pytest.MonkeyPatch
) -> None:
    device = gateway.log_in()
    socket = gateway.connect(device)
    away = InMemoryProducer()
    away.available = False
    use(gateway, monkeypatch, producer=away)

    with pytest.raises(Exception, match="unavailable"):
        handler.handle(report(missed_by(socket, 1)), None)


def failed_before(event: dict[str, Any]) -> dict[str, Any]:
    """What the queue of failed invocations brings, as Lambda writes it (developer guide, "Capturing records of …")."""
    body = {
        "version": "1.0",
        "timestamp": "2026-11-23T12:00:00.000Z",
        "requestContext": {"condition": "RetriesExhausted", "approximateInvokeCount": 3},
        "requestPayload": event,
        "responseContext": {"statusCode": 200, "functionError": "Unhandled"},
        "responsePayload": {"errorType": "Unavailable"},
    }
    return {"Records": [{"messageId": "1", "body": json.dumps(body), "eventSource": "aws:sqs"}]}


def test_a_report_that_failed_for_long_is_dealt_with_once_the_broker_is_back(
    gateway: Gateway, monkeypatch: pytest.MonkeyPatch
) -> None:
    device = gateway.log_in()
    socket = gateway.connect(device)
    event = report(missed_by(socket, 5))
    with monkeypatch.context() as patch:
        away = InMemoryProducer()
        away.available = False
        use(gateway, patch, producer=away)
        for attempt in (event, failed_before(event)):
            with pytest.raises(Exception, match="unavailable"):
                handler.handle(attempt, None)

    handler.handle(failed_before(event), None)
    (task,) = gateway.tasks_of(device, 1)
    assert isinstance(task.task, OfflineTask)
    assert task.task.seqs == (5,)


def test_a_record_that_deliver_could_not_read_is_kept(gateway: Gateway) -> None:
    letter = DeadLetter(
        topic="im-downstream-topic-g1", partition=0, offset=7, key="a2V5", value="bm90IGpzb24=",
        reason="unreadable", detail=f"test {time.time_ns()}", failed_at_ms=1,
    )  # fmt: skip

    handler.handle(json.loads(msgspec.json.encode(DeadLetters(letters=(letter,)))), None)

    ((kept, raw),) = gateway.raw_records(DEAD_LETTER_TOPIC, DeadLetter, lambda r: r.detail == letter.detail, 1)
    assert kept == letter
    assert raw.key == b"key"
