"""Handshakes, frames and ends of connections, against real MySQL, Redis and Kafka."""

import json
import time
from typing import Any

import msgspec
import pytest

from gateway.websocket import handler
from gateway.websocket.limits import Limits
from gochat_aws.kafka_producer import KafkaRecordProducer
from gochat_contracts.records import (
    DEAD_LETTER_TOPIC,
    UPSTREAM_TOPIC,
    DeadConnections,
    DeadLetter,
    DeadLetters,
    MessageRef,
    MissedBy,
    SendMessage,
    UpstreamRecord,
)
from gochat_core.ids import single_conversation_id
from gochat_core.tracing import REQUEST_ID_HEADER, TRACE_HEADER
from gochat_core.types import ConnectionId, ConversationId, Seq
from gochat_repo.admission import Gate
from gochat_repo.cache import cache_from
from gochat_repo.connections import Connection, Connections
from gochat_repo.mysql import database_from
from gochat_repo.sessions import SessionStore
from gochat_repo.token_bucket import Rate
from tests.fakes.clock import SettableClock
from tests.fakes.producer import InMemoryProducer
from tests.integration.gateway.conftest import Device, Gateway, Socket, replace

AWAY = "127.0.0.1"
AWAY_PORT = "1"


def text(body: str = "hi", **members: Any) -> dict[str, Any]:
    return {"client_msg_id": "m-1", "type": "text", "content": {"text": body}, **members}


def use(gateway: Gateway, monkeypatch: pytest.MonkeyPatch, **changes: Any) -> None:
    parts = replace(gateway.parts, **changes)
    monkeypatch.setattr(handler, "wiring", lambda: parts)


def without_redis(gateway: Gateway) -> dict[str, Any]:
    environ = {**gateway.environ, "GOCHAT_REDIS_HOST": AWAY, "GOCHAT_REDIS_PORT": AWAY_PORT}
    database, cache = database_from(environ), cache_from(environ)
    sessions = SessionStore(database, cache)
    rate = Rate(per_s=1, burst=1)
    return {
        "connections": Connections(database, cache),
        "sessions": sessions,
        "gate": Gate(cache, sessions, user_rate=rate, conversation_rate=rate),
    }


def test_a_handshake_registers_the_connection(gateway: Gateway) -> None:
    device = gateway.log_in()

    socket = gateway.connect(device)

    (held,) = gateway.registered(device)
    assert (held.connection_id, held.device_id, held.cell_id) == (socket.connection_id, "phone", "g1")
    assert held.connected_at_ms == socket.connected_at_ms


def test_the_subprotocol_is_answered_when_it_was_offered_and_only_then(gateway: Gateway) -> None:
    device = gateway.log_in()
    _, plain = gateway.open(device)
    _, offered = gateway.open(device, multiValueHeaders={"sec-websocket-protocol": ["gochat.v1, bearer.x"]})

    assert plain == {"statusCode": 200}
    assert offered == {"statusCode": 200, "headers": {"Sec-WebSocket-Protocol": "gochat.v1"}}


def test_a_ticket_opens_one_connection(gateway: Gateway) -> None:
    device = gateway.log_in()
    device.ticket_id = f"t-{device.session_id}"

    assert gateway.open(device)[1]["statusCode"] == 200
    assert gateway.open(device)[1]["statusCode"] == 401


def test_a_revoked_login_is_refused_and_leaves_no_connection(gateway: Gateway) -> None:
    device = gateway.log_in()
    gateway.endings.revoke(device.user_id, [device.session_id], now_ms=time.time_ns() // 1_000_000)

    _, answer = gateway.open(device)

    assert answer["statusCode"] == 401
    assert gateway.registered(device) == []


def test_a_login_revoked_while_the_connection_opens_is_seen_by_one_side_or_the_other(
    gateway: Gateway, monkeypatch: pytest.MonkeyPatch
) -> None:
    device = gateway.log_in()
    closed: list[Connection] = []

    class RevokedAfterRegistering(Connections):
        def register(self, connection: Connection) -> Connection | None:
            replaced = super().register(connection)
            closed.extend(
                gateway.endings.revoke(device.user_id, [device.session_id], now_ms=time.time_ns() // 1_000_000)
            )
            return replaced

    database, cache = database_from(gateway.environ), cache_from(gateway.environ)
    use(gateway, monkeypatch, connections=RevokedAfterRegistering(database, cache))

    socket, answer = gateway.open(device)

    assert answer["statusCode"] == 401
    assert [one.connection_id for one in closed] == [socket.connection_id]
    assert gateway.registered(device) == []


def test_a_second_connection_of_a_device_replaces_the_first_which_is_told_and_closed(gateway: Gateway) -> None:
    device = gateway.log_in()
    first, second = gateway.connect(device), gateway.connect(device)

    (record,) = gateway.told(device, 1)

    assert [one.connection_id for one in gateway.registered(device)] == [second.connection_id]
    assert [ref.connection_id for ref in record.connections] == [first.connection_id]
    (item,) = record.items
    assert (item.event, item.close) == ("session.replaced", True)
    assert item.once_usable is not None
    assert item.once_usable.connection_id == second.connection_id


def test_another_device_replaces_nobody(gateway: Gateway) -> None:
    phone = gateway.log_in()
    laptop = gateway.log_in(phone.user_id, "laptop")
    gateway.connect(phone)
    gateway.connect(laptop)

    assert {one.device_id for one in gateway.registered(phone)} == {"phone", "laptop"}
    assert gateway.told(phone, 0) == []


def test_a_handshake_that_was_overtaken_by_a_later_one_is_refused(gateway: Gateway) -> None:
    device = gateway.log_in()
    slow = gateway.socket(device)
    later = gateway.connect(device)

    assert handler.handle(slow.event("CONNECT"), None)["statusCode"] == 403
    assert [one.connection_id for one in gateway.registered(device)] == [later.connection_id]
    assert gateway.told(device, 0) == []


def test_a_late_disconnect_never_removes_a_successor(gateway: Gateway) -> None:
    device = gateway.log_in()
    first, second = gateway.connect(device), gateway.connect(device)

    handler.handle(first.event("DISCONNECT"), None)
    assert [one.connection_id for one in gateway.registered(device)] == [second.connection_id]

    handler.handle(second.event("DISCONNECT"), None)
    assert gateway.registered(device) == []


def test_a_disconnect_of_a_connection_that_was_never_authorized_is_passed_over(gateway: Gateway) -> None:
    event = gateway.socket(Device(user_id=1, device_id="x", session_id=1)).event("DISCONNECT")  # type: ignore[arg-type]
    del event["requestContext"]["authorizer"]

    assert handler.handle(event, None) == {"statusCode": 200}


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


def test_rubbish_spends_tokens_too(gateway: Gateway, monkeypatch: pytest.MonkeyPatch) -> None:
    device = gateway.log_in()
    use(gateway, monkeypatch, clock=SettableClock())
    socket = gateway.connect(device)

    codes = [gateway.say(socket, "rubbish")["error"]["code"] for _ in range(61)]

    assert codes == ["invalid_request"] * 60 + ["rate_limited"]


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
    producer = KafkaRecordProducer(bootstrap="127.0.0.1:1", auth="none", client_id="test", timeout_s=0.5)
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


def test_a_record_that_deliver_could_not_read_is_kept(gateway: Gateway) -> None:
    letter = DeadLetter(
        topic="im-downstream-topic-g1", partition=0, offset=7, key="a2V5", value="bm90IGpzb24=",
        reason="unreadable", detail=f"test {time.time_ns()}", failed_at_ms=1,
    )  # fmt: skip

    handler.handle(json.loads(msgspec.json.encode(DeadLetters(letters=(letter,)))), None)

    ((kept, raw),) = gateway.raw_records(DEAD_LETTER_TOPIC, DeadLetter, lambda r: r.detail == letter.detail, 1)
    assert kept == letter
    assert raw.key == b"key"


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


def flush(gateway: Gateway) -> None:
    import redis

    with redis.Redis(
        host=gateway.environ["GOCHAT_REDIS_HOST"], port=int(gateway.environ["GOCHAT_REDIS_PORT"])
    ) as client:
        client.flushall()
