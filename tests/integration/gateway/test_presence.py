"""Presence at the connections: who may ask, what is answered, who is told that somebody came online, at what price."""

import json
from typing import Any

import pytest

from gateway.websocket import handler
from gochat_contracts.presence import MAX_WATCHED
from gochat_contracts.records import DownstreamRecord
from gochat_core.ids import single_conversation_id
from gochat_core.types import ConnectionId, UserId
from gochat_repo.conversations import NewSingleConversation, insert_single_conversations
from gochat_repo.mysql import database_from
from tests.fakes.producer import InMemoryProducer
from tests.integration.gateway.conftest import Device, Gateway, Socket, flush, use, without_redis

pytestmark = pytest.mark.needs_redis


def somebody(gateway: Gateway) -> Device:
    """Make an account that is logged in."""
    device = gateway.log_in()
    database_from(gateway.environ).transaction(
        lambda tx: tx.execute(
            "INSERT INTO users (user_id, username, display_name, created_at_ms) VALUES (%s, %s, 'x', 1)",
            (device.user_id, f"u{device.user_id}"[:32]),
        )
    )
    return device


def befriend(gateway: Gateway, one: Device, *others: Device) -> None:
    """Give them single chats."""
    new = [
        NewSingleConversation(
            conversation_id=single_conversation_id(one.user_id, other.user_id), members=(one.user_id, other.user_id)
        )
        for other in others
    ]
    database_from(gateway.environ).transaction(lambda tx: insert_single_conversations(tx, new, now_ms=1))


def subscribe(gateway: Gateway, socket: Socket, *users: Device) -> dict[str, Any]:
    """Subscribe, and return the answered states by user id."""
    answer = gateway.call(socket, "presence.subscribe", user_ids=[str(user.user_id) for user in users])
    assert answer["event"] == "ack", answer
    return {state["user_id"]: state for state in answer["data"]["states"]}


def presence_events(gateway: Gateway, device: Device, count: int) -> list[tuple[str, dict[str, Any]]]:
    """Return which connection was told what, in the records to this user."""
    records = gateway.records(
        "im-downstream-topic-g1",
        DownstreamRecord,
        lambda record: record.user_id == device.user_id and any(item.event == "presence" for item in record.items),
        count,
    )
    return [
        (connection.connection_id, json.loads(bytes(item.data)))
        for record in records
        for item in record.items
        for index, connection in enumerate(record.connections)
        if item.to is None or index in item.to
    ]


def test_states_are_the_truth_about_connections_and_when_they_went(gateway: Gateway) -> None:
    alice, bob, carol = somebody(gateway), somebody(gateway), somebody(gateway)
    befriend(gateway, alice, bob, carol)
    at_alice, at_bob = gateway.connect(alice), gateway.connect(bob)

    states = subscribe(gateway, at_alice, bob, carol)

    assert states[str(bob.user_id)]["online"]
    assert states[str(carol.user_id)] == {"user_id": str(carol.user_id), "online": False, "last_seen": None}
    handler.handle(at_bob.event("DISCONNECT"), None)
    flush(gateway)
    after = subscribe(gateway, at_alice, bob)[str(bob.user_id)]
    assert not after["online"]
    assert after["last_seen"] is not None, "a flushed cache forgets nothing that was told"


def test_strangers_unknown_ids_and_erased_accounts_are_left_out(gateway: Gateway) -> None:
    alice, bob, mallory = somebody(gateway), somebody(gateway), somebody(gateway)
    befriend(gateway, alice, bob)
    at_alice, at_mallory = gateway.connect(alice), gateway.connect(mallory)
    nobody = gateway.log_in()

    assert set(subscribe(gateway, at_alice, mallory, nobody, bob, alice)) == {str(bob.user_id)}
    assert subscribe(gateway, at_mallory, alice, bob) == {}

    gateway.endings.erase_account(bob.user_id, now_ms=1)
    assert subscribe(gateway, at_alice, bob) == {}


def test_the_subscribed_connection_alone_is_told_that_somebody_came_online_and_once(gateway: Gateway) -> None:
    alice, bob = somebody(gateway), somebody(gateway)
    laptop, bobs_laptop = gateway.log_in(alice.user_id, "laptop"), gateway.log_in(bob.user_id, "laptop")
    befriend(gateway, alice, bob)
    at_alice = gateway.connect(alice)
    gateway.connect(laptop)
    subscribe(gateway, at_alice, bob)

    for device in (bob, bobs_laptop, bob):
        gateway.connect(device)

    ((connection_id, event),) = presence_events(gateway, alice, 1)
    assert connection_id == at_alice.connection_id
    assert (event["user_id"], event["online"]) == (str(bob.user_id), True)


def test_a_subscription_ends_with_its_connection(gateway: Gateway) -> None:
    alice, bob = somebody(gateway), somebody(gateway)
    befriend(gateway, alice, bob)
    subscribe(gateway, gateway.connect(alice), bob)
    gateway.connect(alice)

    gateway.connect(bob)

    assert presence_events(gateway, alice, 0) == []


def test_who_was_answered_offline_hears_of_a_return_within_the_time_of_grace(gateway: Gateway) -> None:
    alice, bob = somebody(gateway), somebody(gateway)
    befriend(gateway, alice, bob)
    at_alice, at_bob = gateway.connect(alice), gateway.connect(bob)
    handler.handle(at_bob.event("DISCONNECT"), None)
    assert not subscribe(gateway, at_alice, bob)[str(bob.user_id)]["online"]

    gateway.connect(bob)

    ((_, event),) = presence_events(gateway, alice, 1)
    assert event["online"]


def test_a_refused_handshake_is_no_coming(gateway: Gateway) -> None:
    alice, bob = somebody(gateway), somebody(gateway)
    befriend(gateway, alice, bob)
    subscribe(gateway, gateway.connect(alice), bob)
    gateway.endings.revoke(bob.user_id, [bob.session_id], now_ms=1)

    _, answer = gateway.open(bob)

    assert answer["statusCode"] == 401
    assert presence_events(gateway, alice, 0) == []
    assert gateway.registered(bob) == []
    (state,) = gateway.parts.presence.load([bob.user_id], now_ms=1).values()
    assert state.last_seen_ms is None, "nor a going"


def test_a_connection_has_room_for_so_many_subscriptions(gateway: Gateway) -> None:
    alice = somebody(gateway)
    socket = gateway.connect(alice)
    presence = gateway.parts.presence
    watched = [UserId(number) for number in range(1, MAX_WATCHED + 1)]
    for begin in range(0, MAX_WATCHED, 200):
        assert presence.subscribe(
            alice.user_id, ConnectionId(socket.connection_id), watched[begin : begin + 200], now_ms=1
        )
    assert presence.subscribe(alice.user_id, ConnectionId(socket.connection_id), watched[:200], now_ms=1), (
        "again takes no room"
    )
    bob = somebody(gateway)
    befriend(gateway, alice, bob)

    refused = gateway.call(socket, "presence.subscribe", user_ids=[str(bob.user_id)])

    assert (refused["error"]["code"], "1000" in refused["error"]["message"]) == ("invalid_request", True)


@pytest.mark.parametrize("user_ids", [["x"], ["-1"], ["1"] * 201, "1", [1], None, ["9" * 30]])
def test_malformed_ids_are_refused(gateway: Gateway, user_ids: object) -> None:
    socket = gateway.connect(somebody(gateway))
    refused = gateway.call(socket, "presence.subscribe", user_ids=user_ids)
    assert (refused["event"], refused["error"]["code"]) == ("error", "invalid_request")


def test_without_redis_presence_alone_is_unavailable(gateway: Gateway, monkeypatch: pytest.MonkeyPatch) -> None:
    alice, bob = somebody(gateway), somebody(gateway)
    befriend(gateway, alice, bob)
    use(gateway, monkeypatch, **without_redis(gateway))

    at_alice, at_bob = gateway.connect(alice), gateway.connect(bob)
    refused = gateway.call(at_alice, "presence.subscribe", user_ids=[str(bob.user_id)])

    assert (refused["error"]["code"], refused["error"]["retryable"]) == ("unavailable", True)
    assert gateway.call(at_alice, "hello")["event"] == "ack"
    handler.handle(at_bob.event("DISCONNECT"), None)
    assert gateway.registered(bob) == []


def test_a_broker_that_is_away_costs_the_news_but_not_the_connection(
    gateway: Gateway, monkeypatch: pytest.MonkeyPatch
) -> None:
    alice, bob = somebody(gateway), somebody(gateway)
    befriend(gateway, alice, bob)
    subscribe(gateway, gateway.connect(alice), bob)
    away = InMemoryProducer()
    away.available = False
    use(gateway, monkeypatch, producer=away)

    gateway.connect(bob)

    assert not gateway.parts.presence.list_told([bob.user_id]), "so that the next sweep tells it"


def test_presence_costs_a_handshake_one_cache_round_trip_and_a_goodbye_none(gateway: Gateway) -> None:
    bob = somebody(gateway)
    warm = gateway.connect(bob)
    handler.handle(warm.event("DISCONNECT"), None)
    database, cache = _stores(gateway)

    def price(event: dict[str, Any]) -> tuple[int, int]:
        before = database.round_trips, cache.round_trips
        assert handler.handle(event, None)["statusCode"] == 200
        return database.round_trips - before[0], cache.round_trips - before[1]

    socket = gateway.socket(bob)
    # Register and commit; a tombstone before and after, the login's state, and presence.
    assert price(socket.event("CONNECT")) == (2, 4)
    # Delete and commit, with "last seen" on its way beside the second tombstone, which carries the mark of departure.
    assert price(socket.event("DISCONNECT")) == (3, 2)


def test_subscribing_costs_the_same_however_many_are_named(gateway: Gateway) -> None:
    alice = somebody(gateway)
    others = [somebody(gateway) for _ in range(5)]
    befriend(gateway, alice, *others)
    for other in others[:3]:
        gateway.connect(other)
    socket = gateway.connect(alice)
    subscribe(gateway, socket, others[0])
    database, cache = _stores(gateway)
    prices = set()
    for named in (others[3:], others[3:4], others):
        before = database.round_trips, cache.round_trips
        subscribe(gateway, socket, *named)
        prices.add((database.round_trips - before[0], cache.round_trips - before[1]))
    # Who may be seen (two statements) and how they are; admission, two for the subscription, one for who is away.
    assert prices == {(3, 4)}


def _stores(gateway: Gateway) -> tuple[Any, Any]:
    return gateway.parts.presence._database, gateway.parts.presence._cache
