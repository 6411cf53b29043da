"""Presence through the deployed local stage: exact when asked, coming told at once, going 30 to 90 s after."""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from urllib.parse import urlsplit

import pymysql
import pytest

from tests.fixtures.stage import Stage
from tests.flows.stock_client import Frame, Person, Socket, eventually

pytestmark = pytest.mark.timeout(400)

OFFLINE_AT_LEAST_S, OFFLINE_AT_MOST_S = 30.0, 90.0
"""The protocol's bounds: offline is announced 30 to 90 s after the last connection went."""

AT_ONCE_S = 5.0

CHECKED_WITHIN_S = 150.0
"""On the local stage a connection is due for a check after a minute, and the check runs every minute."""


def befriend(one: Person, *others: Person) -> None:
    """Give them conversations to share."""
    for other in others:
        answer = one.rest.post("/conversations/create", json={"type": "single", "member_ids": [other.user_id]})
        assert answer.status_code == 201, answer.text


def subscribe(socket: Socket, *people: Person) -> dict[str, Frame]:
    """Subscribe, and return the answered states by user id."""
    ack = socket.do("presence.subscribe", user_ids=[person.user_id for person in people])
    return {state["user_id"]: state for state in ack["data"]["states"]}


def is_online(socket: Socket, person: Person) -> bool:
    return bool(subscribe(socket, person)[person.user_id]["online"])


def told(socket: Socket, person: Person) -> list[bool]:
    """Return what was told of somebody, in the order of arrival: online or not."""
    return [data["online"] for data in socket.events("presence") if data["user_id"] == person.user_id]


def wait_told(socket: Socket, person: Person, *, online: bool, within_s: float) -> Frame:
    event = socket.wait_event("presence", within_s=within_s, user_id=person.user_id, online=online)
    data: Frame = event["data"]
    return data


def seconds_since_1970(text: str) -> float:
    return datetime.fromisoformat(text).timestamp()


@contextmanager
def database(stage: Stage) -> Iterator[pymysql.cursors.Cursor]:
    """Look into the stage's MySQL by a side door."""
    place = urlsplit(stage.services["mysql"])
    with pymysql.connect(
        host=place.hostname, port=place.port or 3306, user="root", database="gochat", autocommit=True, ssl_disabled=True
    ) as connection:
        yield connection.cursor()


def test_coming_is_told_at_once_and_going_30_to_90_s_later_unless_one_came_back(
    alice: Person, bob: Person, carol: Person
) -> None:
    befriend(alice, bob, carol)
    with alice.connect() as at_alice, carol.connect() as at_carol:
        assert not subscribe(at_alice, bob, carol)[bob.user_id]["online"]
        with bob.connect() as at_bob:
            at_bob.call("hello")
            wait_told(at_alice, bob, online=True, within_s=AT_ONCE_S)
            at_bob.drop()
            gone_at_s = time.time()
        at_carol.drop()
        # Exact when asked, whatever was told.
        eventually(lambda: not is_online(at_alice, bob), "bob is seen to be away", within_s=AT_ONCE_S)
        with carol.connect() as again:
            again.call("hello")
            offline = wait_told(at_alice, bob, online=False, within_s=OFFLINE_AT_MOST_S + 5)
            took_s = time.time() - gone_at_s
            assert OFFLINE_AT_LEAST_S <= took_s <= OFFLINE_AT_MOST_S
            assert abs(seconds_since_1970(offline["last_seen"]) - gone_at_s) < AT_ONCE_S
            assert subscribe(at_alice, bob)[bob.user_id] == offline, "what is told is what is answered"
            # Carol went when Bob did: the sweep that told of him has dealt with her too.
            assert told(at_alice, carol) == []
            assert told(at_alice, bob) == [True, False]


def test_only_people_who_share_a_conversation_are_seen(alice: Person, bob: Person, carol: Person) -> None:
    befriend(alice, bob)
    with alice.connect() as at_alice, bob.connect() as at_bob, carol.connect() as at_carol:
        assert set(subscribe(at_alice, bob, carol, alice)) == {bob.user_id}
        assert subscribe(at_carol, alice, bob) == {}
        ack = at_bob.do("presence.subscribe", user_ids=["7", alice.user_id])
        assert [state["user_id"] for state in ack["data"]["states"]] == [alice.user_id]
        for refused in ({"user_ids": ["x"]}, {"user_ids": ["1"] * 201}, {}, {"user_ids": "1"}):
            error = at_carol.call("presence.subscribe", refused)
            assert (error["event"], error["error"]["code"]) == ("error", "invalid_request")


def test_a_second_device_and_a_replaced_connection_make_no_noise(alice: Person, bob: Person) -> None:
    befriend(alice, bob)
    laptop = bob.with_device("laptop")
    with alice.connect() as at_alice, alice.with_device("tablet").connect() as unsubscribed:
        subscribe(at_alice, bob)
        with bob.connect() as first:
            first.call("hello")
            wait_told(at_alice, bob, online=True, within_s=AT_ONCE_S)
            with laptop.connect() as second, bob.connect() as third:
                second.call("hello")
                third.call("hello")
                first.wait_event("session.replaced")
                assert is_online(at_alice, bob)
                # Whatever had been said of these would stand before this answer.
                at_alice.call("hello")
                assert told(at_alice, bob) == [True]
                assert unsubscribed.events("presence") == []


def test_a_connection_whose_disconnect_was_lost_is_found_and_its_user_told_to_be_offline(
    stage: Stage, alice: Person, bob: Person
) -> None:
    befriend(alice, bob)
    began_ms = int(time.time() * 1000)
    with alice.connect() as at_alice:
        with bob.connect() as at_bob:
            connection_id = at_bob.call("hello")["data"]["connection_id"]
            assert is_online(at_alice, bob)
            stage.control("mysql", "stop")
            try:
                at_bob.drop()
                eventually(
                    lambda: any(
                        "disconnected, still registered" in line and connection_id in line
                        for line in stage.log_lines("gateway-websocket", since_ms=began_ms)
                    ),
                    "$disconnect has run in vain",
                    within_s=60,
                )
            finally:
                stage.control("mysql", "restart")
        eventually(lambda: _registered(stage, connection_id), "MySQL is back, and the row in it", within_s=30)
        eventually(
            lambda: not _registered(stage, connection_id), "the stale connection is gone", within_s=CHECKED_WITHIN_S
        )
        wait_told(at_alice, bob, online=False, within_s=OFFLINE_AT_MOST_S + 5)
        assert not is_online(at_alice, bob)


def _registered(stage: Stage, connection_id: str) -> bool:
    try:
        with database(stage) as cursor:
            return bool(cursor.execute("SELECT 1 FROM connections WHERE connection_id = %s", (connection_id,)))
    except pymysql.err.OperationalError:
        return False
