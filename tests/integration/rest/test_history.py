"""The history over REST: both ways, at its bounds, from a member's beginning, with the caller's reactions."""

from typing import Any

import pytest

from gochat_core.types import ConversationId
from tests.integration.rest.conftest import Rest
from tests.integration.rest.test_conversations import Person

MAX = (1 << 63) - 1
MESSAGES = 12


@pytest.fixture
def people(rest: Rest) -> list[Person]:
    """Log two people in."""
    users = [rest.register(name) for name in ("alice", "bob")]
    return [Person(rest=rest, user=user, token=rest.login(user).token) for user in users]


@pytest.fixture
def chat(people: list[Person]) -> str:
    """Open the chat of Alice and Bob, with twelve messages of Alice."""
    chat = str(people[0].open_chat(people[1]).json["conversation"]["conversation_id"])
    for number in range(1, MESSAGES + 1):
        people[0].say(chat, f"message {number}", f"m-{number}")
    return chat


def page(person: Person, chat: str, query: str = "") -> tuple[list[int], bool]:
    """Return the seqs of a page, and whether there is more."""
    answer = person.send("GET", f"/conversations/{chat}/messages{query}")
    assert answer.status == 200, answer.text
    return [message["seq"] for message in answer.json["messages"]], answer.json["has_more"]


EVERY = list(range(1, MESSAGES + 1))


@pytest.mark.parametrize(
    ("query", "seqs", "has_more"),
    [
        ("", EVERY, False),
        ("?limit=5", EVERY[-5:], True),
        (f"?limit={MESSAGES}", EVERY, False),
        (f"?limit={MESSAGES - 1}", EVERY[1:], True),
        ("?after_seq=0", EVERY, False),
        ("?after_seq=0&limit=4", [1, 2, 3, 4], True),
        ("?after_seq=8&limit=4", [9, 10, 11, 12], False),
        ("?after_seq=12", [], False),
        (f"?after_seq={MAX}", [], False),
        ("?before_seq=0", [], False),
        ("?before_seq=1", [], False),
        ("?before_seq=5", [1, 2, 3, 4], False),
        ("?before_seq=5&limit=3", [2, 3, 4], True),
        ("?before_seq=5&limit=4", [1, 2, 3, 4], False),
        ("?before_seq=99&limit=2", [11, 12], True),
        (f"?before_seq={MAX}&limit=100", EVERY, False),
    ],
)
def test_the_history_is_read_both_ways_and_at_its_bounds(
    people: list[Person], chat: str, query: str, seqs: list[int], has_more: bool
) -> None:
    assert page(people[1], chat, query) == (seqs, has_more)


@pytest.mark.parametrize(
    ("query", "fields"),
    [
        ("?before_seq=-1", ["before_seq"]),
        ("?after_seq=-1", ["after_seq"]),
        (f"?after_seq={MAX + 1}", ["after_seq"]),
        ("?before_seq=1e3", ["before_seq"]),
        ("?before_seq=", ["before_seq"]),
        ("?after_seq=%EF%BC%91", ["after_seq"]),
        ("?after_seq=1&before_seq=1", ["after_seq"]),
        ("?limit=0", ["limit"]),
        ("?limit=101", ["limit"]),
        ("?limit=-5", ["limit"]),
    ],
)
def test_bounds_that_are_none_are_refused(people: list[Person], chat: str, query: str, fields: list[str]) -> None:
    answer = people[1].send("GET", f"/conversations/{chat}/messages{query}")
    assert (answer.status, answer.code, answer.fields) == (400, "invalid_request", fields)


@pytest.mark.parametrize(
    ("statement", "first_seq"),
    [
        ("UPDATE conversation_participants SET join_seq = 5 WHERE conversation_id = %s AND user_id = %s", 5),
        ("UPDATE conversation_participants SET cleared_seq = 7 WHERE conversation_id = %s AND user_id = %s", 8),
        ("UPDATE conversations SET expired_seq = 3 WHERE conversation_id = %s AND %s > 0", 4),
    ],
)
def test_what_lies_before_joining_clearing_or_retention_is_not_shown(
    people: list[Person], chat: str, statement: str, first_seq: int
) -> None:
    bob = people[1]
    params = (bytes.fromhex(ConversationId(chat)), int(bob.user["user_id"]))
    bob.rest.rpc.database.transaction(lambda tx: tx.execute(statement, params))
    visible = list(range(first_seq, MESSAGES + 1))
    assert page(bob, chat) == (visible, False)
    assert page(bob, chat, "?after_seq=0&limit=2") == (visible[:2], True)
    assert page(bob, chat, "?after_seq=2&limit=2") == (visible[:2], True)
    assert page(bob, chat, f"?before_seq={first_seq + 1}") == ([first_seq], False)
    assert page(bob, chat, f"?before_seq={first_seq}") == ([], False)
    shown = bob.send("GET", f"/conversations/{chat}").json["conversation"]
    assert shown["unread_count"] == len(visible)
    told = bob.send("POST", "/sync", {"cursors": {chat: {"seq": 0, "change": 0}}}).json["conversations"]
    assert [message["seq"] for message in told[0]["messages"]] == visible


def test_when_nothing_is_left_to_see_there_is_no_last_message(people: list[Person], chat: str) -> None:
    alice = people[0]
    key = bytes.fromhex(chat)
    alice.rest.rpc.database.transaction(
        lambda tx: tx.execute("UPDATE conversations SET expired_seq = last_seq WHERE conversation_id = %s", (key,))
    )
    (listed,) = alice.send("GET", "/conversations").json["conversations"]
    assert (listed["last_message"], listed["last_seq"], listed["unread_count"]) == (None, MESSAGES, 0)
    assert page(alice, chat) == ([], False)


def reacted(person: Person, chat: str, seq: int, summary: str, *, rows: list[tuple[str, int]]) -> None:
    """Put reactions under a message, as many people would."""
    key = bytes.fromhex(chat)

    def work(tx: Any) -> None:
        tx.execute("UPDATE messages SET reactions = %s WHERE conversation_id = %s AND seq = %s", (summary, key, seq))
        tx.execute_rows(
            "INSERT INTO message_reactions (conversation_id, seq, emoji, user_id, reacted_change, is_removed) VALUES",
            [(key, seq, emoji, user_id, 1, False) for emoji, user_id in rows],
        )

    person.rest.rpc.database.transaction(work)


def test_every_route_shows_whether_a_reaction_is_the_callers(people: list[Person], chat: str) -> None:
    alice, bob = people
    bob_id = int(bob.user["user_id"])
    listed = ",".join(str(number) for number in range(1, 21))
    reacted(bob, chat, MESSAGES, f'[["👍",21,[{listed}]],["🎉",1,[{bob_id}]]]', rows=[("👍", bob_id), ("🎉", bob_id)])
    for person, mine in ((alice, [False, False]), (bob, [True, True])):
        shown = [
            person.send("GET", f"/conversations/{chat}/messages").json["messages"][-1],
            person.send("GET", f"/conversations/{chat}").json["conversation"]["last_message"],
            person.send("GET", "/conversations").json["conversations"][0]["last_message"],
            person.send("POST", "/sync", {}).json["conversations"][0]["messages"][-1],
            person.send("POST", "/sync", {}).json["conversations"][0]["conversation"]["last_message"],
            person.open_chat(*(one for one in people if one is not person)).json["conversation"]["last_message"],
        ]
        assert all(message == shown[0] for message in shown)
        assert [one["mine"] for one in shown[0]["reactions"]] == mine
        assert [(one["emoji"], one["count"], len(one["user_ids"])) for one in shown[0]["reactions"]] == [
            ("👍", 21, 20),
            ("🎉", 1, 1),
        ]
    resent = alice.say(chat, f"message {MESSAGES}", f"m-{MESSAGES}")
    assert (resent.status, [one["mine"] for one in resent.json["message"]["reactions"]]) == (200, [False, False])
