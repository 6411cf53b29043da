"""POST /sync over REST: what its answers look like, and what becomes of bad requests."""

from typing import Any

import pytest

from tests.integration.rest.conftest import Rest
from tests.integration.rest.test_conversations import NO_CHAT, Person

MAX = (1 << 63) - 1


@pytest.fixture
def people(rest: Rest) -> list[Person]:
    """Log three people in."""
    users = [rest.register(name) for name in ("alice", "bob", "carol")]
    return [Person(rest=rest, user=user, token=rest.login(user).token) for user in users]


@pytest.fixture
def chat(people: list[Person]) -> str:
    """Open the chat of Alice and Bob, with three messages of Alice."""
    chat = str(people[0].open_chat(people[1]).json["conversation"]["conversation_id"])
    for number in range(1, 4):
        people[0].say(chat, f"message {number}", f"m-{number}")
    return chat


def sync(person: Person, **body: Any) -> Any:
    """Catch up once."""
    answer = person.send("POST", "/sync", body)
    assert answer.status == 200, answer.text
    return answer.json


def test_the_first_answer_tells_everything_as_the_other_routes_do(people: list[Person], chat: str) -> None:
    _, bob, carol = people
    told = sync(bob)
    (one,) = told["conversations"]
    assert one["conversation"] == bob.send("GET", f"/conversations/{chat}").json["conversation"]
    assert one["messages"] == bob.send("GET", f"/conversations/{chat}/messages").json["messages"]
    assert (one["changed"], one["has_more"], told["removed"], told["has_more"]) == ([], False, [], False)
    assert sync(carol)["conversations"] == []


def test_a_cursor_gets_what_lies_behind_it(people: list[Person], chat: str) -> None:
    alice, bob, _ = people
    token = sync(bob)["token"]
    alice.say(chat, "message 4", "m-4")
    cursors = {chat: {"seq": 2, "change": 0}}
    for answer in (sync(bob, token=token, cursors=cursors), sync(bob, cursors=cursors)):
        (one,) = answer["conversations"]
        assert [message["seq"] for message in one["messages"]] == [3, 4]
        assert one["conversation"]["unread_count"] == 4
    unnamed = [sync(bob, token=token), sync(bob, token=token, cursors=None), sync(bob, token=token, cursors={})]
    assert unnamed[0]["conversations"] == unnamed[1]["conversations"] == unnamed[2]["conversations"]


def test_a_hidden_conversation_is_removed_for_its_member_alone(people: list[Person], chat: str) -> None:
    alice, bob, _ = people
    tokens = [sync(person)["token"] for person in (alice, bob)]
    bob.send("DELETE", f"/conversations/{chat}")
    told = sync(bob, token=tokens[1])
    assert (told["conversations"], told["removed"]) == ([], [chat])
    assert sync(alice, token=tokens[0])["removed"] == []
    fresh = sync(bob)
    assert (fresh["conversations"], fresh["removed"]) == ([], []), "a new device has nothing to forget"
    assert sync(bob, cursors={chat: {"seq": 3, "change": 0}})["removed"] == [chat]


def test_strange_cursors_are_ignored_and_tell_nothing(people: list[Person], chat: str) -> None:
    _, bob, carol = people
    strange = {NO_CHAT: {"seq": 1, "change": 1}, "not-an-id": {"seq": 0, "change": 0}, "": {"seq": MAX, "change": MAX}}
    told = sync(carol, cursors={chat: {"seq": 0, "change": 0}, **strange})
    assert (told["conversations"], told["removed"]) == ([], [])
    (one,) = sync(bob, cursors={chat: {"seq": MAX, "change": MAX}, **strange})["conversations"]
    assert (one["messages"], one["changed"], one["has_more"]) == ([], [], False)


def test_a_thousand_cursors_are_taken_and_no_more(people: list[Person], chat: str) -> None:
    bob = people[1]
    cursors = {f"{number:032x}": {"seq": MAX, "change": MAX} for number in range(999)}
    (one,) = sync(bob, cursors={chat: {"seq": 3, "change": 0}, **cursors})["conversations"]
    assert one["messages"] == []
    answer = bob.send(
        "POST", "/sync", {"cursors": {chat: {"seq": 3, "change": 0}, "x": {"seq": 0, "change": 0}, **cursors}}
    )
    assert (answer.status, answer.code, answer.fields) == (400, "invalid_request", ["cursors"])


@pytest.mark.parametrize(
    ("body", "fields"),
    [
        ({"token": 5}, ["token"]),
        ({"token": ""}, ["token"]),
        ({"token": "nonsense"}, ["token"]),
        ({"token": "\u0000"}, ["token"]),
        ({"token": "A" * 5_000}, ["token"]),
        ({"cursors": []}, ["cursors"]),
        ({"cursors": {"a": 5}}, ["cursors.a"]),
        ({"cursors": {"a": None}}, ["cursors.a"]),
        ({"cursors": {"a": {}}}, ["cursors.a.seq", "cursors.a.change"]),
        ({"cursors": {"a": {"seq": -1, "change": "0"}}}, ["cursors.a.seq", "cursors.a.change"]),
        ({"cursors": {"a": {"seq": 1.5, "change": MAX + 1}}}, ["cursors.a.seq", "cursors.a.change"]),
        ({"cursors": {"a": {"seq": 10**30, "change": 0}}}, ["cursors.a.seq"]),
        ({"cursors": {"a": {"seq": 1}, "b": {"change": 1}}}, ["cursors.a.change", "cursors.b.seq"]),
    ],
)
def test_what_breaks_the_contract_is_refused_with_every_fault(
    people: list[Person], body: object, fields: list[str]
) -> None:
    answer = people[0].send("POST", "/sync", body)
    assert (answer.status, answer.code, answer.fields) == (400, "invalid_request", fields)


def test_a_token_serves_its_user_alone_and_only_as_it_is(people: list[Person], chat: str) -> None:
    alice, bob, _ = people
    token = sync(bob)["token"]
    assert alice.send("POST", "/sync", {"token": token}).fields == ["token"]
    cursor = bob.send("GET", "/conversations?limit=1").json["next_cursor"]
    assert cursor is None
    for at in range(len(token)):
        other = "A" if token[at] != "A" else "B"
        answer = bob.send("POST", "/sync", {"token": token[:at] + other + token[at + 1 :]})
        # The last character's spare bits mean nothing.
        assert answer.status == 400 or at == len(token) - 1
    assert sync(bob, token=token)["has_more"] is False


def test_a_body_that_is_too_large_is_refused(people: list[Person]) -> None:
    answer = people[0].send("POST", "/sync", {"token": "A" * 300_000})
    assert (answer.status, answer.code) == (413, "payload_too_large")
