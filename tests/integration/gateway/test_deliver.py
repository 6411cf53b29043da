"""The deliver function over real HTTP: events as Lambda's mapping sends them in, posts and reports out."""

import base64
import json
import time
from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import msgspec
import pytest

from gateway.deliver import handler
from gateway.deliver.wiring import build
from gochat_contracts.deliver_reports import DeadConnections, DeadLetters, DeliverReport, HandedBack
from gochat_contracts.records import ConnectionRef, DownstreamItem, DownstreamRecord, MessageRef, decode, encode
from gochat_core.errors import Unavailable
from gochat_core.types import ConnectionId, ConversationId, DeviceId, Seq, UserId
from tests.fakes.connections_server import ConnectionsServer, serve_connections
from tests.fakes.lambda_api import LambdaApi, serve_lambda_api

CHAT = ConversationId("c" * 32)
SECRET = "a very private sentence"


@dataclass(kw_only=True)
class Cell:
    """The function between a platform that takes posts and one that takes reports."""

    server: ConnectionsServer
    lambdas: LambdaApi
    honours_partial_batch: bool

    def reports(self) -> list[Any]:
        return [msgspec.convert(event, DeliverReport) for event in self.lambdas.events]


@pytest.fixture(params=["partial answers", "whole batches"])
def cell(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Iterator[Cell]:
    with serve_connections() as server, serve_lambda_api(lambda payload: b"{}") as lambdas:
        for name, value in (
            ("AWS_ACCESS_KEY_ID", "AKIDEXAMPLE"),
            ("AWS_SECRET_ACCESS_KEY", "secret"),
            ("AWS_ENDPOINT_URL_LAMBDA", lambdas.endpoint),
        ):
            monkeypatch.setenv(name, value)
        parts = build(
            {
                "AWS_REGION": "eu-west-1",
                "GOCHAT_STAGE": "test",
                "GOCHAT_CELL_ID": "g1",
                "GOCHAT_CONNECTIONS_ENDPOINT": server.endpoint,
                "GOCHAT_WEBSOCKET_FUNCTION": "gateway-websocket",
                "GOCHAT_PARTIAL_BATCH": "true" if request.param == "partial answers" else "false",
            }
        )
        monkeypatch.setattr(handler, "wiring", lambda: parts)
        monkeypatch.setattr("gateway.deliver.delivery.SEND_TIMEOUT_S", 0.5)
        yield Cell(server=server, lambdas=lambdas, honours_partial_batch=parts.honours_partial_batch)
        parts.connections.close()  # type: ignore[attr-defined]  # the real one has connections to close
        parts.invoker().close()  # type: ignore[attr-defined]


def now_ms() -> int:
    return time.time_ns() // 1_000_000


def connection(name: str, *, age_ms: int = 60_000) -> ConnectionRef:
    return ConnectionRef(
        connection_id=ConnectionId(f"{name}="), device_id=DeviceId(name), connected_at_ms=now_ms() - age_ms
    )


def message(seq: int, *, expires_in_ms: int = 60_000) -> DownstreamItem:
    return DownstreamItem(
        event="message.new",
        data=msgspec.Raw(msgspec.json.encode({"seq": seq, "content": {"text": SECRET}})),
        expires_at_ms=now_ms() + expires_in_ms,
        message=MessageRef(conversation_id=CHAT, seq=Seq(seq)),
        accepted_at_ms=now_ms() - 20,
        trace="Root=1-67891233-abcdef012345678912345678;Parent=53995c3f42cd8ad8;Sampled=1",
    )


def record(user: int, *items: DownstreamItem, connections: tuple[ConnectionRef, ...] = ()) -> bytes:
    held = connections or (connection(f"phone-{user}"),)
    return encode(DownstreamRecord(user_id=UserId(user), connections=held, items=items))


def event(*values: tuple[int, bytes]) -> dict[str, Any]:
    """Make the event of one partition; each value with its user, whose id is the key."""
    return {
        "eventSource": "SelfManagedKafka",
        "records": {
            "im-downstream-topic-g1-0": [
                {
                    "topic": "im-downstream-topic-g1", "partition": 0, "offset": 100 + number,
                    "timestamp": now_ms(), "timestampType": "CREATE_TIME", "headers": [],
                    "key": base64.b64encode(str(user).encode()).decode(), "value": base64.b64encode(value).decode(),
                }
                for number, (user, value) in enumerate(values)
            ]
        },
    }  # fmt: skip


def failed_offsets(cell: Cell, batch: dict[str, Any]) -> list[int] | None:
    """Run a batch and return the offsets that are to come again; None when the whole batch is."""
    try:
        answer = handler.handle(batch, None)
    except Unavailable:
        return None
    return [failure["itemIdentifier"]["offset"] for failure in answer["batchItemFailures"]]


def test_a_batch_reaches_every_connection_in_one_frame_each(cell: Cell) -> None:
    both = (connection("phone"), connection("laptop"))

    failed = failed_offsets(
        cell,
        event((1, record(1, message(1), message(2), connections=both)), (1, record(1, message(3), connections=both))),
    )

    assert failed == []
    for ref in both:
        (body,) = cell.server.bodies(ref.connection_id)
        assert [m["seq"] for m in json.loads(body)["data"]["messages"]] == [1, 2, 3]
    assert cell.lambdas.events == []


def test_a_dead_connection_is_reported_and_the_rest_delivered(cell: Cell) -> None:
    cell.server.gone.add("phone-1=")

    failed = failed_offsets(
        cell, event((1, record(1, message(1))), (2, record(2, message(1))), (1, record(1, message(2))))
    )

    assert failed == []
    assert len(cell.server.bodies("phone-2=")) == 1
    (report,) = cell.reports()
    assert isinstance(report, DeadConnections)
    (dead,) = report.connections
    assert (dead.user_id, dead.connection_id, [ref.seq for ref in dead.missed]) == (1, "phone-1=", [1, 2])


def test_a_record_fails_when_its_report_is_refused(cell: Cell) -> None:
    cell.server.gone.add("phone-1=")
    cell.lambdas.status = 429

    failed = failed_offsets(cell, event((1, record(1, message(1))), (2, record(2, message(1)))))

    assert failed == ([100] if cell.honours_partial_batch else None)


def test_what_stays_throttled_comes_again_with_all_later_records_of_its_user(cell: Cell) -> None:
    cell.server.statuses["phone-1="] = deque([429] * 100)

    failed = failed_offsets(
        cell, event((1, record(1, message(1))), (2, record(2, message(1))), (1, record(1, message(2))))
    )

    assert failed == ([100, 102] if cell.honours_partial_batch else None)
    assert len(cell.server.bodies("phone-2=")) == 1
    assert cell.lambdas.events == [], "it is alive"


def handed_back(cell: Cell) -> list[tuple[int, bytes]]:
    """Return what the platform was given to bring again, each with its user, and forget it."""
    records = [text.encode() for report in cell.reports() if isinstance(report, HandedBack) for text in report.records]
    cell.lambdas.events.clear()
    return [(decode(DownstreamRecord, one).user_id, one) for one in records]


def test_a_young_connection_in_its_handshake_gets_its_message_after_it(cell: Cell) -> None:
    young = connection("young", age_ms=100)
    cell.server.statuses["young="].extend([410, 410])

    assert failed_offsets(cell, event((1, record(1, message(1), message(2), connections=(young,))))) == []
    assert failed_offsets(cell, event(*handed_back(cell))) == []
    assert failed_offsets(cell, event(*handed_back(cell))) == []

    first, _, last = cell.server.bodies("young=")
    assert first == last
    assert cell.lambdas.events == []


def test_a_record_fails_when_what_came_too_early_is_not_taken_back(cell: Cell) -> None:
    cell.server.gone.add("young=")
    cell.lambdas.status = 429

    failed = failed_offsets(
        cell,
        event((2, record(2, message(1))), (1, record(1, message(1), connections=(connection("young", age_ms=9),)))),
    )

    assert failed == ([101] if cell.honours_partial_batch else None)


def test_a_connection_that_was_opened_and_vanished_holds_up_nobody(cell: Cell) -> None:
    young = connection("young", age_ms=100)
    cell.server.gone.add("young=")

    assert failed_offsets(cell, event((1, record(1, message(1), message(2), connections=(young,))))) == []
    assert failed_offsets(cell, event((2, record(2, message(1))))) == []

    asked = [one.connection_id for one in cell.server.received]
    assert asked == ["young=", "phone-2="], "it is asked once; the next batch is not to wait until it is old"


def test_a_record_that_can_not_be_read_goes_to_the_dead_letters_and_the_rest_is_delivered(cell: Cell) -> None:
    newer = msgspec.json.encode({"v": 2, "user_id": 1, "connections": [], "items": []})

    failed = failed_offsets(cell, event((1, b"not json"), (2, newer), (3, record(3, message(1)))))

    assert failed == []
    letters = [letter for report in cell.reports() if isinstance(report, DeadLetters) for letter in report.letters]
    assert [(letter.offset, letter.reason) for letter in letters] == [(100, "unreadable"), (101, "unreadable")]
    assert base64.b64decode(letters[0].value or "") == b"not json"
    assert len(cell.server.bodies("phone-3=")) == 1


def test_a_message_that_came_too_late_takes_the_offline_path(cell: Cell) -> None:
    assert failed_offsets(cell, event((1, record(1, message(1, expires_in_ms=-1))))) == []

    assert [(r.method, r.connection_id) for r in cell.server.received] == [("DELETE", "phone-1=")]
    assert [ref.seq for ref in cell.reports()[0].connections[0].missed] == [1]


def test_a_replaced_connection_is_told_and_closed(cell: Cell) -> None:
    ending = DownstreamItem(
        event="session.replaced",
        data=msgspec.Raw(b"{}"),
        expires_at_ms=now_ms() + 1000,
        close=True,
        once_usable=connection("new", age_ms=0),
    )
    cell.server.statuses["new="].extend([410])

    assert failed_offsets(cell, event((1, record(1, ending)))) == []
    assert failed_offsets(cell, event(*handed_back(cell))) == []

    assert [(r.method, r.connection_id) for r in cell.server.received] == [
        ("GET", "new="),
        ("GET", "new="),
        ("POST", "phone-1="),
        ("DELETE", "phone-1="),
    ]


def test_connections_to_the_platform_are_kept_from_batch_to_batch(cell: Cell) -> None:
    for number in range(5):
        assert failed_offsets(cell, event((1, record(1, message(number))))) == []

    assert cell.server.opened == 1


def test_one_line_tells_of_a_batch_and_none_holds_a_message(
    cell: Cell, caplog: pytest.LogCaptureFixture, capsys: pytest.CaptureFixture[str]
) -> None:
    cell.server.gone.add("phone-2=")
    failed_offsets(
        cell, event((1, record(1, message(1))), (2, record(2, message(1))), (3, b'{"v":"%s"}' % SECRET.encode()))
    )

    lines = [line for line in caplog.records if line.name == "gateway-deliver"]
    assert len(lines) == 1
    assert lines[0].__dict__["posts"] == {"delivered": 1, "gone": 1}
    assert lines[0].__dict__["traces"] == ["1-67891233-abcdef012345678912345678"]
    printed = capsys.readouterr().out
    assert "private" not in printed
    metrics = next(json.loads(line) for line in printed.splitlines() if '"_aws"' in line)
    assert metrics["EndToEnd"][0] >= 20
