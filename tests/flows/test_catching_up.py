"""Catching up through the deployed local stage: what a device misses while away, and in the instant of connecting."""

import pytest

from tests.flows.stock_client import Frame, Person, Socket, eventually

pytestmark = pytest.mark.timeout(300)

INSTANTS = 8


def sync(person: Person, **body: object) -> Frame:
    """Catch up once over REST, and expect one page to be all."""
    answer = person.rest.post("/sync", json=body)
    assert answer.status_code == 200, answer.text
    told: Frame = answer.json()
    assert not told["has_more"]
    return told


def told_seqs(told: Frame, chat: str) -> set[int]:
    """Return the seqs that an answer has of a conversation."""
    return {
        message["seq"]
        for one in told["conversations"]
        if one["conversation"]["conversation_id"] == chat
        for message in one["messages"]
    }


def test_a_device_that_was_away_learns_of_messages_and_mutations_at_once(alice: Person, bob: Person) -> None:
    with alice.connect() as at_alice:
        chat = str(at_alice.say("first", to=bob.user_id)["conversation_id"])
        told = sync(bob)
        assert told_seqs(told, chat) == {1}
        at_alice.say("second", conversation_id=chat)
        at_alice.do("message.edit", conversation_id=chat, seq=1, content={"text": "first, edited"})
        at_alice.do("reaction.add", conversation_id=chat, seq=1, emoji="👍")
        at_alice.wait_event("reaction", conversation_id=chat, seq=1)
    (one,) = sync(bob, token=told["token"], cursors={chat: {"seq": 1, "change": 0}})["conversations"]
    assert [message["seq"] for message in one["messages"]] == [2]
    (changed,) = one["changed"]
    assert (changed["seq"], changed["content"], changed["change"]) == (1, {"text": "first, edited"}, 2)
    assert changed["reactions"] == [{"emoji": "👍", "count": 1, "mine": False, "user_ids": [alice.user_id]}]
    assert one["conversation"] == bob.conversation(chat)


def test_muting_and_hiding_reach_ones_other_devices_and_nobody_else(alice: Person, bob: Person) -> None:
    laptop = bob.with_device("laptop")
    with alice.connect() as at_alice, laptop.connect() as at_laptop:
        chat = str(at_alice.say("hi", to=bob.user_id)["conversation_id"])
        at_laptop.wait_messages(1, chat)
        token = sync(bob)["token"]
        answer = bob.rest.patch(f"/conversations/{chat}", json={"muted": True, "pinned": True})
        assert answer.status_code == 200, answer.text
        event = at_laptop.wait_event("conversation.updated")
        assert event["data"]["conversation"] == answer.json()["conversation"]
        assert bob.rest.delete(f"/conversations/{chat}").status_code == 204
        eventually(lambda: bool(at_laptop.events("conversation.updated")[-1].get("hidden")), "it is hidden")
        assert bob.rest.get("/conversations").json()["conversations"] == []
        told = sync(bob, token=token, cursors={chat: {"seq": 1, "change": 0}})
        assert (told["conversations"], told["removed"]) == ([], [chat])
        at_alice.say("again", conversation_id=chat)
        at_laptop.wait_messages(2, chat)
        told = sync(bob, token=token, cursors={chat: {"seq": 1, "change": 0}})
        assert (told["removed"], told_seqs(told, chat)) == ([chat], {2})
        assert at_alice.events("conversation.updated") == []


def test_in_the_instant_of_connecting_a_message_comes_live_or_by_catching_up(alice: Person, bob: Person) -> None:
    with alice.connect() as at_alice:
        chat = str(at_alice.say("first", to=bob.user_id)["conversation_id"])
        token, cursor = sync(bob)["token"], 1
        for instant in range(INSTANTS):
            at_alice.send("message.send", _message(chat, instant))
            with bob.connect() as at_bob:
                told = sync(bob, token=token, cursors={chat: {"seq": cursor, "change": 0}})
                missed = told_seqs(told, chat)
                eventually(lambda: _has(at_bob, chat, missed, cursor + 1), f"message {cursor + 1} is there")  # noqa: B023
            token, cursor = told["token"], cursor + 1


def _message(chat: str, number: int) -> Frame:
    return {
        "conversation_id": chat,
        "client_msg_id": f"instant-{number}",
        "type": "text",
        "content": {"text": f"in the instant {number}"},
    }


def _has(socket: Socket, chat: str, missed: set[int], seq: int) -> bool:
    return seq in missed or any(message["seq"] == seq for message in socket.messages(chat))
