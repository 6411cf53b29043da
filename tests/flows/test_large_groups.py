"""A group of more than a hundred through the deployed local stage: told in a lane of its own, and pushed to."""

import json
import uuid
from collections.abc import Callable
from contextlib import closing
from typing import Any
from urllib.parse import urlsplit

import pymysql
import pytest

from tests.fixtures.stage import Stage
from tests.flows.stock_client import Frame, Person, Socket, eventually

pytestmark = pytest.mark.timeout(300)

SILENT = 116
"""Members who never connect: accounts alone, so that nobody waits for that many passwords."""

FIRST = 90
"""How many are there from the beginning: below the size of a large group."""


@pytest.fixture
def silent_people(stage: Stage) -> list[str]:
    """Make accounts, and return their ids."""
    address = urlsplit(stage.services["mysql"])
    first = uuid.uuid4().int >> 66
    users = [(first + number, f"silent{first + number}", "Silent", 1) for number in range(SILENT)]
    with closing(
        pymysql.connect(host=address.hostname, port=address.port or 0, user="root", database="gochat", autocommit=True)
    ) as connection:
        statement = "INSERT INTO users (user_id, username, display_name, created_at_ms) VALUES (%s, %s, %s, %s)"
        connection.cursor().executemany(statement, users)
    return [str(user[0]) for user in users]


def pushed_to(stage: Stage, person: Person) -> list[Any]:
    """Return what the log provider wrote about somebody."""
    lines = [json.loads(line) for line in stage.log_lines("task-push") if line.startswith("{")]
    return [line for line in lines if line.get("message") == "push" and line["user_id"] == person.user_id]


def seqs(socket: Socket, chat: str) -> list[int]:
    """Return the seqs of all messages of a conversation that arrived, repeats included, in the order of arrival."""
    return [
        message["seq"]
        for frame in list(socket.frames)
        if frame.get("event") == "message.new"
        for message in frame["data"]["messages"]
        if message["conversation_id"] == chat
    ]


@pytest.fixture
def dave(somebody: Callable[[str], Person]) -> Person:
    """Give somebody a phone that is away and can be pushed to."""
    person = somebody("dave")
    token = {"provider": "fcm", "token": f"a-token-of-some-thirty-two-letters-{person.user_id}"}
    assert person.rest.put(f"/devices/{person.device_id}/push-token", json=token).status_code == 204
    return person


def make_group(owner: Person, members: list[str], later: list[str]) -> Frame:
    """Make a group of some, and bring in the others."""
    made = owner.rest.post("/groups/create", json={"name": "All of us", "member_ids": members})
    assert made.status_code == 201, made.text
    url = f"/groups/{made.json()['group']['group_id']}"
    invited = owner.rest.post(f"{url}/members", json={"user_ids": later})
    assert invited.status_code == 200, invited.text
    group: Frame = owner.rest.get(url).json()["group"]
    assert group["member_count"] == len(members) + len(later) + 1
    return group


def test_a_large_group_is_told_once_each_in_order_and_who_is_away_is_pushed_to(
    stage: Stage, alice: Person, bob: Person, carol: Person, dave: Person, silent_people: list[str]
) -> None:
    early, late = [bob.user_id, dave.user_id, *silent_people[:FIRST]], [carol.user_id, *silent_people[FIRST:]]
    with alice.connect() as at_alice, bob.connect() as at_bob, carol.connect() as at_carol:
        group = make_group(alice, early, late)
        chat, url = group["conversation_id"], f"/groups/{group['group_id']}"
        at_carol.wait_event("group.invited")

        told = [at_alice.say(f"message {number}", conversation_id=chat)["seq"] for number in range(5)]
        told.append(at_bob.say("and one of mine", conversation_id=chat)["seq"])
        assert told == list(range(told[0], told[0] + 6))
        last = at_carol.wait_messages(len(told) + 1, chat)[-1]
        assert (last["seq"], last["content"]) == (told[-1], {"text": "and one of mine"})
        assert [seq for seq in seqs(at_carol, chat) if seq in told] == told
        at_bob.wait(lambda _: set(told[:5]) <= set(seqs(at_bob, chat)))
        assert [seq for seq in seqs(at_bob, chat) if seq in told] == told[:5]

        at_alice.do("message.recall", conversation_id=chat, seq=told[0])
        assert at_carol.wait_event("message.recalled")["data"]["seq"] == told[0]

        assert carol.rest.delete(f"{url}/members/{carol.user_id}").status_code == 204
        after = at_alice.say("she has gone", conversation_id=chat)["seq"]
        at_bob.wait(lambda _: after in seqs(at_bob, chat))
        assert after not in seqs(at_carol, chat)

        eventually(lambda: len(pushed_to(stage, dave)) > 0, "the push is sent")
        assert pushed_to(stage, dave)[0]["collapse_id"] == chat
        eventually(lambda: bool(stage.log_lines("gateway-deliver-bulk")), "the lane of large groups has posted")
        with dave.connect() as at_dave:
            at_alice.say("welcome back", conversation_id=chat)
            assert at_dave.wait_messages(1, chat)[0]["content"] == {"text": "welcome back"}
        assert {*told, after} <= {one["seq"] for one in dave.history(chat)}
