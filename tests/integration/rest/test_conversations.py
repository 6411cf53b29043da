import re
from dataclasses import dataclass
from typing import Any

import pytest

from tests.fakes.http_api import HttpAnswer
from tests.integration.rest.conftest import Rest

NO_CHAT = "0" * 32


@dataclass(kw_only=True)
class Person:
    """Somebody who is logged in."""

    rest: Rest
    user: Any
    token: str

    def send(self, method: str, url: str, body: object = None) -> HttpAnswer:
        """Send a request with the bearer token."""
        return self.rest.api.send(method, url, token=self.token, body=body)

    def open_chat(self, *peers: "Person") -> HttpAnswer:
        """Open a single chat."""
        body = {"type": "single", "member_ids": [peer.user["user_id"] for peer in peers]}
        return self.send("POST", "/conversations/create", body)

    def say(self, chat: str, text: str, client_msg_id: str) -> HttpAnswer:
        """Send a text."""
        body = {"client_msg_id": client_msg_id, "type": "text", "content": {"text": text}}
        return self.send("POST", f"/conversations/{chat}/messages", body)


@pytest.fixture
def people(rest: Rest) -> list[Person]:
    """Log three people in."""
    users = [rest.register(name) for name in ("alice", "bob", "carol")]
    return [Person(rest=rest, user=user, token=rest.login(user).token) for user in users]


@pytest.fixture
def chat(people: list[Person]) -> str:
    """Open the chat of Alice and Bob."""
    return str(people[0].open_chat(people[1]).json["conversation"]["conversation_id"])


def test_the_same_pair_has_the_same_conversation_whoever_opens_it(people: list[Person]) -> None:
    alice, bob, _ = people
    opened, again, from_bob = alice.open_chat(bob), alice.open_chat(bob), bob.open_chat(alice)
    assert [answer.status for answer in (opened, again, from_bob)] == [201, 200, 200]
    conversation = opened.json["conversation"]
    assert conversation == again.json["conversation"]
    assert from_bob.json["conversation"]["conversation_id"] == conversation["conversation_id"]
    assert (conversation["type"], conversation["name"], conversation["group_id"]) == ("single", None, None)
    assert (conversation["peer"], from_bob.json["conversation"]["peer"]) == (bob.user, alice.user)
    assert (conversation["last_seq"], conversation["unread_count"], conversation["last_message"]) == (0, 0, None)
    assert set(conversation) == {
        *("conversation_id", "type", "name", "group_id", "peer", "peer_delivered_seq", "peer_read_seq"),
        *("member_count", "last_message", "last_seq", "change", "read_seq", "unread_count", "muted", "pinned"),
        "updated_at",
    }


@pytest.mark.parametrize(
    ("body", "fields"),
    [
        ({}, ["type", "member_ids"]),
        ({"type": "group", "member_ids": []}, ["type", "member_ids"]),
        ({"type": "single", "member_ids": ["1", "2"]}, ["member_ids"]),
        ({"type": "single", "member_ids": [5]}, ["member_ids.0"]),
    ],
)
def test_a_malformed_conversation_is_refused(people: list[Person], body: object, fields: list[str]) -> None:
    answer = people[0].send("POST", "/conversations/create", body)
    assert (answer.status, answer.code, answer.fields) == (400, "invalid_request", fields)


def test_nobody_chats_with_oneself_or_with_nobody(people: list[Person]) -> None:
    alice = people[0]
    assert alice.open_chat(alice).code == "invalid_request"
    for user_id in ("1", "x", ""):
        answer = alice.send("POST", "/conversations/create", {"type": "single", "member_ids": [user_id]})
        assert (answer.status, answer.code) == (404, "user_not_found")


def test_a_message_is_stored_numbered_and_told(people: list[Person], chat: str) -> None:
    alice = people[0]
    answer = alice.say(chat, "hé 😀", "m-1")
    message = answer.json["message"]
    assert answer.status == 201
    assert message | {"message_id": "", "created_at": ""} == {
        "message_id": "",
        "conversation_id": chat,
        "seq": 1,
        "sender_id": alice.user["user_id"],
        "client_msg_id": "m-1",
        "type": "text",
        "content": {"text": "hé 😀"},
        "reply_to_seq": None,
        "mentions": [],
        "created_at": "",
        "edited_at": None,
        "recalled": False,
        "reactions": [],
        "change": 0,
    }
    assert "hé 😀" in answer.text
    assert re.fullmatch(r"\d{18,19}", message["message_id"])


def test_the_same_message_again_gives_the_first_answer_again(people: list[Person], chat: str) -> None:
    alice, bob, _ = people
    first, again = alice.say(chat, "hi", "m-1"), alice.say(chat, "hi", "m-1")
    assert (first.status, again.status) == (201, 200)
    assert first.json == again.json
    other = alice.say(chat, "something else", "m-1")
    assert (other.status, other.code) == (409, "client_msg_id_conflict")
    assert bob.say(chat, "hi", "m-1").status == 201


def test_history_unread_counts_and_cursors_agree(people: list[Person], chat: str) -> None:
    alice, bob, _ = people
    for number in range(1, 6):
        alice.say(chat, f"message {number}", f"m-{number}")
    page = bob.send("GET", f"/conversations/{chat}/messages?after_seq=0&limit=3").json
    assert ([one["seq"] for one in page["messages"]], page["has_more"]) == ([1, 2, 3], True)
    page = bob.send("GET", f"/conversations/{chat}/messages?before_seq=3").json
    assert ([one["seq"] for one in page["messages"]], page["has_more"]) == ([1, 2], False)
    latest = bob.send("GET", f"/conversations/{chat}/messages?limit=2").json
    assert ([one["seq"] for one in latest["messages"]], latest["has_more"]) == ([4, 5], True)
    (listed,) = bob.send("GET", "/conversations").json["conversations"]
    assert (listed["unread_count"], listed["last_seq"], listed["read_seq"]) == (5, 5, 0)
    assert listed["last_message"] == latest["messages"][-1]
    assert bob.send("POST", f"/conversations/{chat}/read", {"seq": 3}).json == {"read_seq": 3, "unread_count": 2}
    assert bob.send("POST", f"/conversations/{chat}/read", {"seq": 1}).json == {"read_seq": 3, "unread_count": 2}
    assert bob.send("POST", f"/conversations/{chat}/read", {"seq": 99}).json == {"read_seq": 5, "unread_count": 0}
    seen_by_alice = alice.send("GET", f"/conversations/{chat}").json["conversation"]
    assert (seen_by_alice["unread_count"], seen_by_alice["read_seq"], seen_by_alice["peer_read_seq"]) == (0, 5, 5)


def test_conversations_are_paged_newest_activity_first(people: list[Person]) -> None:
    alice, bob, carol = people
    chats = [alice.open_chat(peer).json["conversation"]["conversation_id"] for peer in (bob, carol)]
    bob.say(chats[0], "hi", "m-1")
    first = alice.send("GET", "/conversations?limit=1").json
    assert [one["conversation_id"] for one in first["conversations"]] == chats[:1]
    second = alice.send("GET", f"/conversations?limit=1&cursor={first['next_cursor']}").json
    assert [one["conversation_id"] for one in second["conversations"]] == chats[1:]
    assert second["next_cursor"] is None


def test_an_outsider_cannot_tell_a_conversation_from_a_missing_one(people: list[Person], chat: str) -> None:
    alice, _, carol = people
    alice.say(chat, "hi", "m-1")
    shown = []
    for one in (chat, NO_CHAT, "not-an-id"):
        answers = [
            carol.send("GET", f"/conversations/{one}"),
            carol.send("GET", f"/conversations/{one}/messages"),
            carol.send("POST", f"/conversations/{one}/read", {"seq": 1}),
            carol.say(one, "hi", "m-1"),
        ]
        assert {(answer.status, answer.code) for answer in answers} == {(404, "conversation_not_found")}
        shown.append([{**answer.json, "request_id": ""} for answer in answers])
    assert shown[0] == shown[1] == shown[2]


@pytest.mark.parametrize(
    ("method", "path", "body", "fields"),
    [
        ("GET", "/conversations?limit=0", None, ["limit"]),
        ("GET", "/conversations?limit=101", None, ["limit"]),
        ("GET", "/conversations?cursor=nonsense", None, ["cursor"]),
        ("GET", "/conversations/CHAT/messages?limit=x", None, ["limit"]),
        ("GET", "/conversations/CHAT/messages?before_seq=-1", None, ["before_seq"]),
        ("GET", "/conversations/CHAT/messages?after_seq=1.5", None, ["after_seq"]),
        ("GET", "/conversations/CHAT/messages?after_seq=99999999999999999999", None, ["after_seq"]),
        ("GET", "/conversations/CHAT/messages?after_seq=1&before_seq=3", None, ["after_seq"]),
        ("POST", "/conversations/CHAT/read", {}, ["seq"]),
        ("POST", "/conversations/CHAT/read", {"seq": -1}, ["seq"]),
        ("POST", "/conversations/CHAT/read", {"seq": "1"}, ["seq"]),
        ("POST", "/conversations/CHAT/messages", {}, ["client_msg_id", "type", "content"]),
        (
            "POST",
            "/conversations/CHAT/messages",
            {"client_msg_id": "a b", "type": "text", "content": {"text": ""}, "mentions": ["x"]},
            ["client_msg_id", "content.text", "mentions.0"],
        ),
        (
            "POST",
            "/conversations/CHAT/messages",
            {"client_msg_id": "a", "type": "system", "content": {}},
            ["type"],
        ),
    ],
)
def test_what_breaks_the_contract_is_refused_with_every_fault(
    people: list[Person], chat: str, method: str, path: str, body: object, fields: list[str]
) -> None:
    answer = people[0].send(method, path.replace("CHAT", chat), body)
    assert (answer.status, answer.code, answer.fields) == (400, "invalid_request", fields)


def test_the_peer_who_erased_the_account_has_no_name_and_the_messages_stay(people: list[Person], chat: str) -> None:
    alice, bob, _ = people
    bob.say(chat, "remember me", "m-1")
    assert bob.send("DELETE", "/users/me").status == 204
    (message,) = alice.send("GET", f"/conversations/{chat}/messages").json["messages"]
    assert (message["sender_id"], message["content"]) == (bob.user["user_id"], {"text": "remember me"})
    peer = alice.send("GET", f"/conversations/{chat}").json["conversation"]["peer"]
    assert bob.user["username"] not in str(peer)
