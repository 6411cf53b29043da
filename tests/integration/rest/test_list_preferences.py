"""Muting, pinning, hiding and opening conversations, and what one's own devices and others are told of it."""

from typing import Any

import msgspec
import pytest

from gochat_contracts.records import DownstreamRecord
from tests.integration.rest.conftest import Rest
from tests.integration.rest.test_conversations import NO_CHAT, Person

decode_downstream = msgspec.json.Decoder(DownstreamRecord).decode


@pytest.fixture
def people(rest: Rest) -> list[Person]:
    """Log two people in, each with a connection."""
    found = []
    for name in ("alice", "bob"):
        user = rest.register(name)
        login = rest.login(user)
        rest.connect(login)
        found.append(Person(rest=rest, user=user, token=login.token))
    return found


@pytest.fixture
def chat(people: list[Person]) -> str:
    """Open the chat of Alice and Bob."""
    return str(people[0].open_chat(people[1]).json["conversation"]["conversation_id"])


def told(person: Person, event: str) -> list[Any]:
    """Return the data of what was announced to somebody."""
    key = str(person.user["user_id"]).encode()
    return [
        msgspec.json.decode(item.data)
        for record in person.rest.rpc.producer.records
        if record.key == key
        for item in decode_downstream(record.value).items
        if item.event == event
    ]


def listed(person: Person) -> list[str]:
    """Return the ids of somebody's list."""
    return [one["conversation_id"] for one in person.send("GET", "/conversations").json["conversations"]]


def outbox(person: Person) -> int:
    """Return how many announcements are outstanding."""
    return int(person.rest.rpc.database.read(lambda tx: tx.query("SELECT COUNT(*) FROM outbox"))[0][0])


def test_a_new_conversation_is_told_to_both_once(people: list[Person]) -> None:
    alice, bob = people
    opened = alice.open_chat(bob)
    assert (opened.status, alice.open_chat(bob).status) == (201, 200)
    (to_alice,), (to_bob,) = told(alice, "conversation.created"), told(bob, "conversation.created")
    assert to_alice == {"conversation": opened.json["conversation"]}
    assert to_bob["conversation"]["peer"] == alice.user
    assert outbox(alice) == 0


def test_muting_and_pinning_are_the_callers_own_and_told_to_the_callers_devices(
    people: list[Person], chat: str
) -> None:
    alice, bob = people
    answer = alice.send("PATCH", f"/conversations/{chat}", {"muted": True})
    assert answer.status == 200
    assert (answer.json["conversation"]["muted"], answer.json["conversation"]["pinned"]) == (True, False)
    answer = alice.send("PATCH", f"/conversations/{chat}", {"pinned": True})
    assert (answer.json["conversation"]["muted"], answer.json["conversation"]["pinned"]) == (True, True)
    assert alice.send("PATCH", f"/conversations/{chat}", {"pinned": True, "muted": True}).json == answer.json
    assert alice.send("PATCH", f"/conversations/{chat}", {}).json == answer.json
    assert [
        (one["conversation"]["muted"], one["conversation"]["pinned"]) for one in told(alice, "conversation.updated")
    ] == [
        (True, False),
        (True, True),
    ], "what changes nothing is not told"
    assert told(bob, "conversation.updated") == []
    seen_by_bob = bob.send("GET", f"/conversations/{chat}").json["conversation"]
    assert (seen_by_bob["muted"], seen_by_bob["pinned"]) == (False, False)
    answer = alice.send("PATCH", f"/conversations/{chat}", {"pinned": False, "muted": False})
    assert (answer.json["conversation"]["muted"], answer.json["conversation"]["pinned"]) == (False, False)


def test_pinned_conversations_stay_in_the_order_of_activity(rest: Rest, people: list[Person], chat: str) -> None:
    alice, bob = people
    user = rest.register("carol")
    carol = Person(rest=rest, user=user, token=rest.login(user).token)
    other = alice.open_chat(carol).json["conversation"]["conversation_id"]
    carol.say(other, "hi", "c-1")
    bob.say(chat, "hi", "b-1")
    alice.send("PATCH", f"/conversations/{other}", {"pinned": True})
    assert listed(alice) == [chat, other]


def test_a_hidden_conversation_comes_back_with_its_next_message_and_without_its_past(
    people: list[Person], chat: str
) -> None:
    alice, bob = people
    bob.say(chat, "old", "b-1")
    for _ in range(2):
        assert alice.send("DELETE", f"/conversations/{chat}").status == 204
    assert listed(alice) == []
    assert alice.send("GET", f"/conversations/{chat}/messages").json == {"messages": [], "has_more": False}
    shown = alice.send("GET", f"/conversations/{chat}").json["conversation"]
    assert (shown["last_message"], shown["unread_count"], shown["last_seq"]) == (None, 0, 1)
    (event,) = told(alice, "conversation.updated")
    assert event == {"conversation": shown, "hidden": True}
    assert told(bob, "conversation.updated") == []
    assert listed(bob) == [chat]
    assert len(bob.send("GET", f"/conversations/{chat}/messages").json["messages"]) == 1
    bob.say(chat, "new", "b-2")
    assert listed(alice) == [chat]
    (message,) = alice.send("GET", f"/conversations/{chat}/messages").json["messages"]
    assert message["seq"] == 2
    assert alice.send("GET", f"/conversations/{chat}").json["conversation"]["unread_count"] == 1


def test_opening_a_hidden_conversation_shows_it_again_to_the_caller_alone(people: list[Person], chat: str) -> None:
    alice, bob = people
    bob.say(chat, "old", "b-1")
    alice.send("DELETE", f"/conversations/{chat}")
    opened = alice.open_chat(bob)
    assert opened.status == 200
    assert listed(alice) == [chat]
    assert opened.json["conversation"]["last_message"] is None, "what was cleared stays cleared"
    assert told(alice, "conversation.updated")[-1] == {"conversation": opened.json["conversation"]}
    assert told(bob, "conversation.updated") == []
    again = alice.open_chat(bob)
    assert len(told(alice, "conversation.updated")) == 2, "it was shown already"
    assert again.json == opened.json


def test_an_empty_conversation_can_be_hidden(people: list[Person], chat: str) -> None:
    alice, bob = people
    assert alice.send("DELETE", f"/conversations/{chat}").status == 204
    assert listed(alice) == []
    bob.say(chat, "first", "b-1")
    assert listed(alice) == [chat]


def test_while_the_broker_is_away_the_change_is_made_and_told_later(people: list[Person], chat: str) -> None:
    alice, _ = people
    producer = alice.rest.rpc.producer
    producer.available = False
    try:
        answer = alice.send("PATCH", f"/conversations/{chat}", {"muted": True})
        assert (answer.status, answer.json["conversation"]["muted"]) == (200, True)
        assert alice.send("DELETE", f"/conversations/{chat}").status == 204
    finally:
        producer.available = True
    assert outbox(alice) == 1, "one row a member and conversation, which says how it is when it is told"
    alice.rest.rpc.database.transaction(lambda tx: tx.execute("DELETE FROM outbox"))


@pytest.mark.parametrize("path", [NO_CHAT, "not-an-id", "%00", "é"])
def test_nobody_mutes_or_hides_what_there_is_not(people: list[Person], path: str) -> None:
    alice, _ = people
    for answer in (
        alice.send("PATCH", f"/conversations/{path}", {"muted": True}),
        alice.send("DELETE", f"/conversations/{path}"),
    ):
        assert (answer.status, answer.code) == (404, "conversation_not_found")


def test_an_outsider_mutes_and_hides_nothing(rest: Rest, people: list[Person], chat: str) -> None:
    user = rest.register("carol")
    carol = Person(rest=rest, user=user, token=rest.login(user).token)
    for answer in (
        carol.send("PATCH", f"/conversations/{chat}", {"muted": True}),
        carol.send("PATCH", f"/conversations/{chat}", {}),
        carol.send("DELETE", f"/conversations/{chat}"),
    ):
        assert (answer.status, answer.code) == (404, "conversation_not_found")
    assert listed(people[0]) == [chat]


@pytest.mark.parametrize(
    ("body", "fields"),
    [
        ({"muted": "yes"}, ["muted"]),
        ({"muted": None}, ["muted"]),
        ({"muted": 1, "pinned": []}, ["muted", "pinned"]),
    ],
)
def test_malformed_preferences_are_refused_and_change_nothing(
    people: list[Person], chat: str, body: object, fields: list[str]
) -> None:
    alice, _ = people
    before = alice.send("GET", f"/conversations/{chat}").json
    answer = alice.send("PATCH", f"/conversations/{chat}", body)
    assert (answer.status, answer.code, answer.fields) == (400, "invalid_request", fields)
    assert alice.send("GET", f"/conversations/{chat}").json == before
    assert told(alice, "conversation.updated") == []
