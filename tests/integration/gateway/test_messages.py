"""Frames and their answers, against real MySQL, Redis and Kafka."""

import json
import time

import msgspec
import pytest

from gateway.websocket import handler
from gateway.websocket.limits import Limits
from gochat_aws.kafka_login import KafkaSettings
from gochat_aws.kafka_producer import KafkaRecordProducer
from gochat_contracts.commands import SendMessage
from gochat_contracts.records import UPSTREAM_TOPIC, UpstreamRecord
from gochat_core.ids import single_conversation_id
from gochat_core.tracing import REQUEST_ID_HEADER, TRACE_HEADER
from gochat_repo.cache import cache_from
from gochat_repo.connections import Connections
from gochat_repo.mysql import database_from
from tests.fakes.clock import SettableClock
from tests.fakes.producer import InMemoryProducer
from tests.integration.gateway.conftest import (
    AWAY_PORT,
    Gateway,
    flush,
    text,
    use,
    without_redis,
)


def test_a_message_is_acknowledged_once_the_broker_holds_it(gateway: Gateway) -> None:
    alice, bob = gateway.log_in(), gateway.log_in()
    socket = gateway.connect(alice)

    answer = gateway.call(socket, "message.send", **text("Grüße 👋", to=str(bob.user_id)))

    assert answer == {"event": "ack", "id": "f-1", "data": {"client_msg_id": "m-1", "status": "accepted"}}
    ((record, raw),) = gateway.raw_records(
        UPSTREAM_TOPIC, UpstreamRecord, lambda r: r.sender.user_id == alice.user_id, 1
    )
    conversation_id = single_conversation_id(alice.user_id, bob.user_id)
    assert raw.key.decode() == conversation_id == record.command.conversation_id
    headers = dict(raw.headers)
    assert headers[REQUEST_ID_HEADER] == b"request-1"
    assert headers[TRACE_HEADER].startswith(b"Root=1-")
    assert isinstance(record.command, SendMessage)
    assert msgspec.json.decode(record.command.content) == {"text": "Grüße 👋"}
    assert (record.sender.connection_id, record.sender.device_id) == (socket.connection_id, "phone")
    assert (record.frame_id, record.command.to) == ("f-1", bob.user_id)
    assert abs(record.accepted_at_ms - time.time() * 1000) < 10_000


@pytest.mark.parametrize(
    "frame",
    [
        "not json",
        '{"action":"invented","id":"f-1"}',
        '{"action":"$connect","id":"f-1"}',
        '{"action":"message.send","id":"f-1","data":{"client_msg_id":"m"}}',
    ],
)
def test_a_frame_that_breaks_the_contract_is_refused_and_the_next_one_served(gateway: Gateway, frame: str) -> None:
    device = gateway.log_in()
    socket = gateway.connect(device)

    refused = gateway.say(socket, frame)

    assert refused["error"]["code"] == "invalid_request"
    assert refused["id"] == ("f-1" if "f-1" in frame else None)
    assert gateway.call(socket, "hello")["data"]["user_id"] == str(device.user_id)
    assert gateway.commands_of(device, 0) == []


@pytest.mark.needs_redis
def test_whoever_goes_too_fast_is_told_when_to_go_on(gateway: Gateway, monkeypatch: pytest.MonkeyPatch) -> None:
    device = gateway.log_in()
    clock = SettableClock(time.time_ns() // 1_000_000)
    use(gateway, monkeypatch, clock=clock)
    socket = gateway.connect(device)
    limits = Limits()

    for _ in range(limits.frames_burst):
        assert gateway.call(socket, "hello")["event"] == "ack"
    refused = gateway.call(socket, "hello")["error"]

    assert (refused["code"], refused["retryable"]) == ("rate_limited", True)
    assert refused["retry_after_ms"] == 50
    clock.advance_ms(refused["retry_after_ms"])
    assert gateway.call(socket, "hello")["event"] == "ack"
    assert gateway.call(socket, "hello")["error"]["code"] == "rate_limited"


@pytest.mark.needs_redis
def test_rubbish_spends_tokens_too(gateway: Gateway, monkeypatch: pytest.MonkeyPatch) -> None:
    device = gateway.log_in()
    use(gateway, monkeypatch, clock=SettableClock())
    socket = gateway.connect(device)

    codes = [gateway.say(socket, "rubbish")["error"]["code"] for _ in range(61)]

    assert codes == ["invalid_request"] * 60 + ["rate_limited"]


@pytest.mark.needs_redis
def test_a_conversation_has_a_rate_of_its_own(gateway: Gateway, monkeypatch: pytest.MonkeyPatch) -> None:
    people = [gateway.log_in() for _ in range(3)]
    use(gateway, monkeypatch, clock=SettableClock(), producer=InMemoryProducer())
    sockets = [gateway.connect(one) for one in people]
    group = f"{people[0].user_id:032x}"

    codes = [
        gateway.call(sockets[number % 3], "message.send", **text(conversation_id=group)).get("error", {}).get("code")
        for number in range(103)
    ]

    assert codes == [None] * 100 + ["rate_limited"] * 3


def test_a_login_that_ended_is_refused_and_its_connection_closed(gateway: Gateway) -> None:
    device = gateway.log_in()
    socket = gateway.connect(device)
    gateway.endings.revoke(device.user_id, [device.session_id], now_ms=time.time_ns() // 1_000_000)

    refused = gateway.call(socket, "message.send", **text(conversation_id="0" * 32))

    assert refused["error"]["code"] == "unauthenticated"
    assert refused["error"]["retryable"] is False
    (record,) = gateway.told(device, 1)
    assert record.connections[0].connection_id == socket.connection_id
    assert (record.items[0].event, record.items[0].close) == ("session.revoked", True)
    assert gateway.commands_of(device, 0) == []


@pytest.mark.needs_redis
def test_a_flushed_cache_forgets_no_revocation(gateway: Gateway, monkeypatch: pytest.MonkeyPatch) -> None:
    standing, ended = gateway.log_in(), gateway.log_in()
    at_standing, at_ended = gateway.connect(standing), gateway.connect(ended)
    gateway.endings.revoke(ended.user_id, [ended.session_id], now_ms=time.time_ns() // 1_000_000)
    flush(gateway)

    assert gateway.call(at_standing, "hello")["event"] == "ack"
    assert gateway.call(at_ended, "hello")["error"]["code"] == "unauthenticated"


def test_without_redis_everything_works_but_the_rates(gateway: Gateway, monkeypatch: pytest.MonkeyPatch) -> None:
    device, ended = gateway.log_in(), gateway.log_in()
    gateway.endings.revoke(ended.user_id, [ended.session_id], now_ms=time.time_ns() // 1_000_000)
    use(gateway, monkeypatch, **without_redis(gateway))

    socket = gateway.connect(device)
    assert [gateway.call(socket, "hello")["event"] for _ in range(5)] == ["ack"] * 5
    assert gateway.open(ended)[1]["statusCode"] == 401
    assert gateway.call(gateway.socket(ended), "hello")["error"]["code"] == "unauthenticated"


@pytest.mark.needs_redis
def test_one_frame_costs_one_cache_round_trip_and_no_database_one(gateway: Gateway) -> None:
    device = gateway.log_in()
    socket = gateway.connect(device)
    gateway.call(socket, "hello")
    cache, database = gateway.parts.gate._cache, gateway.parts.sessions._database
    before = (cache.round_trips, database.round_trips)

    gateway.call(socket, "message.send", **text(conversation_id="0" * 32))

    assert (cache.round_trips - before[0], database.round_trips - before[1]) == (1, 0)


def test_a_broker_that_is_away_is_unavailable_and_says_when_to_come_again(
    gateway: Gateway, monkeypatch: pytest.MonkeyPatch
) -> None:
    device = gateway.log_in()
    producer = KafkaRecordProducer(KafkaSettings(kafka_bootstrap="127.0.0.1:1"), client_id="test", timeout_s=0.5)
    socket = gateway.connect(device)
    use(gateway, monkeypatch, producer=producer)

    refused = gateway.call(socket, "message.send", **text(conversation_id="0" * 32))

    assert (refused["error"]["code"], refused["error"]["retryable"]) == ("unavailable", True)
    assert refused["error"]["retry_after_ms"] > 0
    assert refused["id"] == "f-1"
    producer.discard()


def test_a_database_that_is_away_refuses_handshakes_with_503(gateway: Gateway, monkeypatch: pytest.MonkeyPatch) -> None:
    device = gateway.log_in()
    environ = {**gateway.environ, "GOCHAT_MYSQL_PORT": AWAY_PORT}
    use(gateway, monkeypatch, connections=Connections(database_from(environ), cache_from(environ)))

    assert gateway.open(device)[1]["statusCode"] == 503
    assert handler.handle(gateway.socket(device).event("DISCONNECT"), None) == {"statusCode": 200}


def test_a_fault_of_ours_is_an_internal_error_and_the_connection_stays(
    gateway: Gateway, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Broken:
        def produce(self, records: object) -> None:
            raise ZeroDivisionError

    device = gateway.log_in()
    socket = gateway.connect(device)
    use(gateway, monkeypatch, producer=Broken())

    refused = gateway.call(socket, "message.send", **text(conversation_id="0" * 32))

    assert (refused["error"]["code"], refused["error"]["retryable"]) == ("internal_error", False)
    assert gateway.call(socket, "hello")["event"] == "ack"


def test_no_log_line_holds_what_a_client_wrote(gateway: Gateway, caplog: pytest.LogCaptureFixture) -> None:
    device = gateway.log_in()
    device.ticket_id = f"ticket-{device.session_id}"
    secret = "a very private sentence"
    socket = gateway.connect(device)
    gateway.call(socket, "message.send", **text(secret, conversation_id="0" * 32))
    gateway.say(socket, json.dumps({"action": secret, "id": "1", "data": {"text": secret}}))
    gateway.say(socket, secret)
    gateway.call(socket, "message.send", **text(secret, conversation_id="0" * 32, type=secret))
    handler.handle(socket.event("DISCONNECT"), None)

    told = json.dumps([record.__dict__ for record in caplog.records], default=str)
    assert len([record for record in caplog.records if record.msg == "frame"]) == 4
    assert "private" not in told
    assert device.ticket_id not in told
