"""The frames of every action, against real MySQL, Redis and Kafka."""

import json
import time
from typing import Any

import msgspec
import pytest

from gateway.websocket import handler
from gateway.websocket.limits import Limits
from gochat_aws.kafka_login import KafkaSettings
from gochat_aws.kafka_producer import KafkaRecordProducer
from gochat_contracts.records import UPSTREAM_TOPIC, UpstreamRecord
from gochat_repo.cache import command
from gochat_repo.token_bucket import conversation_bucket
from tests.fakes.clock import SettableClock
from tests.fakes.producer import InMemoryProducer
from tests.integration.gateway.conftest import Device, Gateway, Socket, use

CHAT = "0f8fad5bd9cb469fa16570867728950e"
PLACE = {"conversation_id": CHAT, "seq": 7}
ACTIONS: list[tuple[str, dict[str, Any]]] = [
    ("message.delivered", PLACE),
    ("message.read", PLACE),
    ("message.recall", PLACE),
    ("message.edit", {**PLACE, "content": {"text": "Grüße 👋"}}),
    ("reaction.add", {**PLACE, "emoji": "👍🏽"}),
    ("reaction.remove", {**PLACE, "emoji": "👍🏽"}),
]


def typing(socket: Socket, text: str | None = None, **data: Any) -> dict[str, Any]:
    """Send a frame over the route that `typing` has; return the function's answer, which the platform drops."""
    event = socket.event("MESSAGE", body=text or json.dumps({"action": "typing", "id": "f-1", "data": data}))
    event["requestContext"]["routeKey"] = "typing"
    return handler.handle(event, None)


def told_later(gateway: Gateway, device: Device) -> dict[str, Any]:
    (record,) = gateway.told(device, 1)
    (item,) = record.items
    assert item.is_frame
    frame: dict[str, Any] = msgspec.json.decode(item.data)
    return frame


@pytest.mark.parametrize(("action", "data"), ACTIONS)
def test_an_action_is_acknowledged_once_the_broker_holds_it(
    gateway: Gateway, action: str, data: dict[str, Any]
) -> None:
    device = gateway.log_in()
    socket = gateway.connect(device)

    assert gateway.call(socket, action, **data) == {"event": "ack", "id": "f-1", "data": {}}

    ((record, raw),) = gateway.raw_records(
        UPSTREAM_TOPIC, UpstreamRecord, lambda r: r.sender.user_id == device.user_id, 1
    )
    assert json.loads(raw.value)["command"] == {"action": action, **data}
    assert raw.key == CHAT.encode()
    assert (record.frame_id, record.sender.connection_id) == ("f-1", socket.connection_id)


@pytest.mark.needs_redis
@pytest.mark.parametrize(("action", "data"), ACTIONS)
def test_an_action_costs_one_cache_round_trip_and_none_of_the_conversations_messages(
    gateway: Gateway, monkeypatch: pytest.MonkeyPatch, action: str, data: dict[str, Any]
) -> None:
    device = gateway.log_in()
    use(gateway, monkeypatch, clock=SettableClock(), producer=InMemoryProducer())
    socket = gateway.connect(device)
    gateway.call(socket, "hello")
    cache, database = gateway.parts.gate._cache, gateway.parts.sessions._database
    before = (cache.round_trips, database.round_trips)

    answers = [gateway.call(socket, action, **data) for _ in range(3)]

    assert {answer["event"] for answer in answers} == {"ack"}
    assert (cache.round_trips - before[0], database.round_trips - before[1]) == (3, 0)
    assert cache.run([command("EXISTS", conversation_bucket(CHAT))]) == [0]


@pytest.mark.parametrize(("action", "_"), [*ACTIONS, ("typing", {})])
def test_an_action_without_data_is_refused_with_every_member_that_it_lacks(
    gateway: Gateway, action: str, _: dict[str, Any]
) -> None:
    device = gateway.log_in()
    socket = gateway.connect(device)

    refused = gateway.call(socket, action)["error"]

    assert refused["code"] == "invalid_request"
    assert "conversation_id: is required" in refused["message"]
    assert ("seq: is required" in refused["message"]) == (action != "typing")
    assert gateway.commands_of(device, 0) == []


def test_an_accepted_typing_is_handed_on_and_answered_by_nothing(gateway: Gateway) -> None:
    device = gateway.log_in()
    socket = gateway.connect(device)

    assert typing(socket, conversation_id=CHAT) == {"statusCode": 200}

    (record,) = gateway.commands_of(device, 1)
    assert msgspec.to_builtins(record.command) == {"action": "typing", "conversation_id": CHAT}
    assert gateway.told(device, 0) == []


def test_a_refused_typing_is_told_by_deliver(gateway: Gateway) -> None:
    device = gateway.log_in()
    socket = gateway.connect(device)

    assert typing(socket, conversation_id="nowhere") == {"statusCode": 200}

    frame = told_later(gateway, device)
    assert (frame["event"], frame["id"]) == ("error", "f-1")
    assert frame["error"]["code"] == "conversation_not_found"
    (record,) = gateway.told(device, 1)
    assert [one.connection_id for one in record.connections] == [socket.connection_id]
    assert gateway.commands_of(device, 0) == []


@pytest.mark.needs_redis
def test_typing_spends_the_users_tokens(gateway: Gateway, monkeypatch: pytest.MonkeyPatch) -> None:
    device = gateway.log_in()
    producer = InMemoryProducer()
    use(gateway, monkeypatch, clock=SettableClock(time.time_ns() // 1_000_000), producer=producer)
    socket = gateway.connect(device)

    for _ in range(Limits().frames_burst + 1):
        typing(socket, conversation_id=CHAT)

    assert len(producer.records) == Limits().frames_burst + 1
    refused = json.loads(producer.records[-1].value)["items"][0]["data"]
    assert refused["error"]["code"] == "rate_limited"


def test_whatever_comes_over_a_one_way_route_is_answered_all_the_same(gateway: Gateway) -> None:
    """Of a member that stands twice, the platform and this function need not take the same."""
    device = gateway.log_in()
    socket = gateway.connect(device)

    answer = typing(socket, '{"action":"typing","action":"hello","id":"f-1"}')

    assert answer == {"statusCode": 200}
    assert told_later(gateway, device)["data"]["user_id"] == str(device.user_id)


def test_typing_into_a_broker_that_is_away_is_dropped(gateway: Gateway, monkeypatch: pytest.MonkeyPatch) -> None:
    device = gateway.log_in()
    producer = KafkaRecordProducer(KafkaSettings(kafka_bootstrap="127.0.0.1:1"), client_id="test", timeout_s=0.2)
    socket = gateway.connect(device)
    use(gateway, monkeypatch, producer=producer)

    assert typing(socket, conversation_id=CHAT) == {"statusCode": 200}
    assert gateway.call(socket, "hello")["event"] == "ack"
    producer.discard()
