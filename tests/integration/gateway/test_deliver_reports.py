"""What `deliver` reports is dealt with, against real MySQL, Redis and Kafka."""

import json
import time
from typing import Any

import msgspec
import pytest

from gateway.websocket import handler
from gochat_contracts.deliver_reports import DeadConnections, DeadLetters, HandedBack, MissedBy
from gochat_contracts.records import (
    DEAD_LETTER_TOPIC,
    ConnectionRef,
    DeadLetter,
    DownstreamItem,
    DownstreamRecord,
    MessageRef,
    OfflineTask,
    encode,
)
from gochat_core.types import ConnectionId, ConversationId, Seq
from gochat_repo.cache import cache_from
from gochat_repo.connections import Connections
from gochat_repo.mysql import database_from
from tests.fakes.producer import InMemoryProducer
from tests.integration.gateway.conftest import (
    AWAY_PORT,
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


def handed_back(socket: Socket, *items: DownstreamItem) -> dict[str, Any]:
    """Make the report of items that came before their connection could take them."""
    target = ConnectionRef(
        connection_id=ConnectionId(socket.connection_id),
        device_id=socket.device.device_id,
        connected_at_ms=socket.connected_at_ms,
    )
    record = DownstreamRecord(user_id=socket.device.user_id, connections=(target,), items=items)
    told: dict[str, Any] = json.loads(msgspec.json.encode(HandedBack(records=(encode(record).decode(),))))
    return told


def item(event: str, *, seq: int | None = None, close: bool = False) -> DownstreamItem:
    place = None if seq is None else MessageRef(conversation_id=ConversationId("c" * 32), seq=Seq(seq))
    return DownstreamItem(event=event, data=msgspec.Raw(b"{}"), expires_at_ms=1, message=place, close=close)


NEW, STORED, REVOKED = item("message.new", seq=3), item("message.stored"), item("session.revoked", close=True)


def test_what_came_too_early_is_sent_again_while_its_connection_is_registered(gateway: Gateway) -> None:
    device = gateway.log_in()
    socket = gateway.connect(device)

    handler.handle(handed_back(socket, NEW, STORED, REVOKED), None)

    (sent,) = gateway.told(device, 1)
    assert [one.connection_id for one in sent.connections] == [socket.connection_id]
    assert sent.items == (NEW, STORED, REVOKED)
    assert gateway.tasks_of(device, 0) == []


def test_what_came_for_a_connection_that_went_meanwhile_takes_the_offline_path(gateway: Gateway) -> None:
    device = gateway.log_in()
    socket = gateway.connect(device)
    handler.handle(socket.event("DISCONNECT", disconnectStatusCode=1001), None)

    handler.handle(handed_back(socket, NEW, STORED, REVOKED), None)

    (task,) = gateway.tasks_of(device, 1)
    assert isinstance(task.task, OfflineTask)
    assert task.task.seqs == (3,)
    (sent,) = gateway.told(device, 1)
    assert sent.items == (REVOKED,), "whatever is to be ended is registered no more"


def test_what_came_for_a_connection_that_was_replaced_meanwhile_is_left_to_its_successor(gateway: Gateway) -> None:
    device = gateway.log_in()
    first = gateway.connect(device)
    gateway.connect(device)
    gateway.told(device, 1)

    handler.handle(handed_back(first, NEW), None)

    assert gateway.tasks_of(device, 0) == []
    assert len(gateway.told(device, 1)) == 1, "its client catches up"


def test_what_came_too_early_waits_in_the_topic_while_mysql_is_away(
    gateway: Gateway, monkeypatch: pytest.MonkeyPatch
) -> None:
    device = gateway.log_in()
    socket = gateway.connect(device)
    producer = InMemoryProducer()
    away = {**gateway.environ, "GOCHAT_MYSQL_PORT": AWAY_PORT}
    connections = Connections(database_from(away), cache_from(gateway.environ))
    use(gateway, monkeypatch, connections=connections, producer=producer)

    handler.handle(handed_back(socket, NEW), None)

    assert len(producer.records) == 1


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
