"""Handshakes and ends of connections, against real MySQL, Redis and Kafka."""

import time

import pytest

from gateway.websocket import handler
from gochat_core.types import ConnectionId
from gochat_repo.cache import cache_from
from gochat_repo.connections import Connection, Connections
from gochat_repo.mysql import database_from
from tests.fakes.producer import InMemoryProducer
from tests.integration.gateway.conftest import ELSEWHERE, OTHER_CELL, Device, Gateway, use


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
        def register(self, connection: Connection, *, replacing: Connection | None = None) -> Connection | None:
            in_the_way = super().register(connection, replacing=replacing)
            closed.extend(
                gateway.endings.revoke(device.user_id, [device.session_id], now_ms=time.time_ns() // 1_000_000)
            )
            return in_the_way

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


def hold_on_another_cell(gateway: Gateway, device: Device) -> Connection:
    """Register an older connection of a device on cell g2."""
    socket = gateway.socket(device)
    elsewhere = Connection(
        user_id=device.user_id,
        device_id=device.device_id,
        session_id=device.session_id,
        cell_id=OTHER_CELL,
        connection_id=ConnectionId(socket.connection_id),
        connected_at_ms=socket.connected_at_ms,
    )
    gateway.connections.register(elsewhere)
    return elsewhere


def test_a_device_that_moves_here_has_its_connection_on_the_other_cell_told_and_closed(gateway: Gateway) -> None:
    device = gateway.log_in()
    elsewhere = hold_on_another_cell(gateway, device)

    here = gateway.connect(device)

    (record,) = gateway.told(device, 1, topic=ELSEWHERE)
    (item,) = record.items
    assert [one.connection_id for one in gateway.registered(device)] == [here.connection_id]
    assert [ref.connection_id for ref in record.connections] == [elsewhere.connection_id]
    # The other cell can't ask for this connection: it would take it for one that never opened.
    assert (item.event, item.close, item.once_usable) == ("session.replaced", True, None)


def test_a_device_that_moves_here_and_is_refused_has_its_connection_on_the_other_cell_closed_too(
    gateway: Gateway,
) -> None:
    device = gateway.log_in()
    gateway.endings.revoke(device.user_id, [device.session_id], now_ms=time.time_ns() // 1_000_000)
    hold_on_another_cell(gateway, device)

    _, answer = gateway.open(device)

    (record,) = gateway.told(device, 1, topic=ELSEWHERE)
    (item,) = record.items
    assert answer["statusCode"] == 401
    assert (item.event, item.close, item.once_usable) == ("session.replaced", True, None)


class Died(BaseException):
    """A container that ends at once, whatever it was about to do."""


def test_a_container_that_dies_in_a_handshake_leaves_no_connection_open_that_hears_nothing(
    gateway: Gateway, monkeypatch: pytest.MonkeyPatch
) -> None:
    device = gateway.log_in()
    first = gateway.connect(device)

    class DiesOnceRegistered(Connections):
        def register(self, connection: Connection, *, replacing: Connection | None = None) -> Connection | None:
            in_the_way = super().register(connection, replacing=replacing)
            if in_the_way is None:
                raise Died
            return in_the_way

    database, cache = database_from(gateway.environ), cache_from(gateway.environ)
    use(gateway, monkeypatch, connections=DiesOnceRegistered(database, cache))
    second = gateway.socket(device)

    with pytest.raises(Died):
        handler.handle(second.event("CONNECT"), None)

    assert [one.connection_id for one in gateway.registered(device)] == [second.connection_id]
    (record,) = gateway.told(device, 1)
    assert [ref.connection_id for ref in record.connections] == [first.connection_id]
    assert [item.close for item in record.items] == [True]


def test_while_the_broker_is_away_no_connection_is_replaced(gateway: Gateway, monkeypatch: pytest.MonkeyPatch) -> None:
    device = gateway.log_in()
    first = gateway.connect(device)
    producer = InMemoryProducer()
    producer.available = False
    use(gateway, monkeypatch, producer=producer)

    assert gateway.open(device)[1]["statusCode"] == 503
    assert [one.connection_id for one in gateway.registered(device)] == [first.connection_id]

    producer.available = True
    second = gateway.connect(device)
    assert [one.connection_id for one in gateway.registered(device)] == [second.connection_id]
    assert len(producer.records) == 1


def test_of_three_connections_opened_at_once_all_but_the_last_are_ended(
    gateway: Gateway, monkeypatch: pytest.MonkeyPatch
) -> None:
    device = gateway.log_in()
    first, second, third = gateway.connect(device), gateway.socket(device), gateway.socket(device)

    class Overtaken(Connections):
        def register(self, connection: Connection, *, replacing: Connection | None = None) -> Connection | None:
            if replacing is not None:
                use(gateway, monkeypatch)
                if second.connection_id not in [one.connection_id for one in gateway.registered(device)]:
                    assert handler.handle(second.event("CONNECT"), None)["statusCode"] == 200
            return super().register(connection, replacing=replacing)

    database, cache = database_from(gateway.environ), cache_from(gateway.environ)
    use(gateway, monkeypatch, connections=Overtaken(database, cache))

    assert handler.handle(third.event("CONNECT"), None)["statusCode"] == 200

    assert [one.connection_id for one in gateway.registered(device)] == [third.connection_id]
    ended = {ref.connection_id for record in gateway.told(device, 3) for ref in record.connections}
    assert ended == {first.connection_id, second.connection_id}


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
