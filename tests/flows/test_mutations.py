"""Recall, edit and reactions through the deployed local stage: what both people see, now and later."""

from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from typing import Any

import pytest

from tests.flows.stock_client import Frame, Person, Socket, text_message

pytestmark = pytest.mark.timeout(300)

IMAGE = {"url": "https://example.org/a.png", "mime": "image/png", "size": 12}


@dataclass(kw_only=True)
class Chat:
    """Alice with two devices and Bob with one, connected, in a conversation with one message of Alice's."""

    alice: Person
    bob: Person
    at_alice: Socket
    at_tablet: Socket
    at_bob: Socket
    conversation_id: str

    def place(self, seq: int = 1) -> Frame:
        return {"conversation_id": self.conversation_id, "seq": seq}

    def heard_by_all(self, event: str, **data: Any) -> Frame:
        """Wait until every device of both was told the same, the acting one too; return what."""
        told = [socket.wait_event(event, **data)["data"] for socket in (self.at_alice, self.at_tablet, self.at_bob)]
        assert told[0] == told[1] == told[2]
        return dict(told[0])

    def message(self, seq: int = 1) -> Frame:
        """Return a message as both see it in the history, without what only one of them sees."""
        (as_alice,) = [one for one in self.alice.history(self.conversation_id) if one["seq"] == seq]
        (as_bob,) = [one for one in self.bob.history(self.conversation_id) if one["seq"] == seq]
        for view in (as_alice, as_bob):
            for reaction in view["reactions"]:
                reaction.pop("mine")
        assert as_alice == as_bob
        return as_alice

    def settle(self) -> None:
        """Wait until whatever was asked for before has been told to everybody."""
        stored = self.at_bob.say("and now?", conversation_id=self.conversation_id)
        for socket in (self.at_alice, self.at_tablet):
            socket.wait(
                lambda frame: (
                    frame.get("event") == "message.new"
                    and any(one["seq"] == stored["seq"] for one in frame["data"]["messages"])
                )
            )


@pytest.fixture
def chat(alice: Person, bob: Person) -> Iterator[Chat]:
    with ExitStack() as open_:
        at_alice = open_.enter_context(alice.connect())
        at_tablet = open_.enter_context(alice.with_device("tablet").connect())
        at_bob = open_.enter_context(bob.connect())
        stored = at_alice.say("first words", to=bob.user_id)
        at_bob.wait_messages(1, stored["conversation_id"])
        yield Chat(
            alice=alice,
            bob=bob,
            at_alice=at_alice,
            at_tablet=at_tablet,
            at_bob=at_bob,
            conversation_id=stored["conversation_id"],
        )


def test_a_recalled_message_is_gone_for_both(chat: Chat) -> None:
    chat.at_alice.do("reaction.add", **chat.place(), emoji="👍")
    chat.heard_by_all("reaction", seq=1)

    assert chat.at_alice.do("message.recall", **chat.place())["data"] == {}

    told = chat.heard_by_all("message.recalled", conversation_id=chat.conversation_id, seq=1)
    assert told["sender_id"] == chat.alice.user_id
    message = chat.message()
    assert (message["recalled"], message["content"], message["mentions"], message["reactions"]) == (True, {}, [], [])
    assert message["change"] == told["change"] == chat.bob.conversation(chat.conversation_id)["change"]
    last = chat.bob.conversation(chat.conversation_id)["last_message"]
    assert (last["seq"], last["recalled"], last["content"]) == (1, True, {})


def test_recalling_twice_is_recalling_once(chat: Chat) -> None:
    chat.at_alice.do("message.recall", **chat.place())
    chat.heard_by_all("message.recalled", seq=1)
    before = chat.message()

    chat.at_tablet.do("message.recall", **chat.place())
    chat.settle()

    assert chat.message() == before
    assert len(chat.at_bob.events("message.recalled")) == 1
    assert chat.at_tablet.events("request.rejected") == []


def test_an_edited_text_is_the_text_for_both(chat: Chat) -> None:
    sent = chat.message()

    assert chat.at_alice.do("message.edit", **chat.place(), content={"text": "better words 👋"})["data"] == {}

    told = chat.heard_by_all("message.edited", seq=1)
    assert (told["sender_id"], told["content"]) == (chat.alice.user_id, {"text": "better words 👋"})
    message = chat.message()
    assert message == {
        **sent,
        "content": told["content"],
        "edited_at": told["edited_at"],
        "change": told["change"],
    }
    assert message["change"] > sent["change"]
    assert message["edited_at"] > message["created_at"]


def test_edits_are_applied_in_the_order_of_their_changes(chat: Chat) -> None:
    for number in range(5):
        chat.at_alice.do("message.edit", **chat.place(), content={"text": f"version {number}"})

    told = chat.heard_by_all("message.edited", content={"text": "version 4"})
    changes = [one["change"] for one in chat.at_bob.events("message.edited")]
    assert changes == sorted(set(changes))
    assert told["change"] == changes[-1]
    assert chat.message()["content"] == {"text": "version 4"}


def test_reactions_are_counted_and_taken_back(chat: Chat) -> None:
    def add(socket: Socket, person: Person, emoji: str, count: int) -> Frame:
        socket.do("reaction.add", **chat.place(), emoji=emoji)
        told = chat.heard_by_all("reaction", emoji=emoji, user_id=person.user_id, action="add")
        assert told["count"] == count == len(told["user_ids"])
        return told

    add(chat.at_bob, chat.bob, "👍", 1)
    both = add(chat.at_tablet, chat.alice, "👍", 2)
    assert both["user_ids"] == [chat.bob.user_id, chat.alice.user_id], "in the order of reacting"
    family = add(chat.at_bob, chat.bob, "👩🏽‍❤️‍💋‍👨🏻", 1)
    assert family["change"] > both["change"]
    assert chat.message()["change"] == family["change"]
    assert chat.message()["reactions"] == [
        {"emoji": "👍", "count": 2, "user_ids": both["user_ids"]},
        {"emoji": family["emoji"], "count": 1, "user_ids": [chat.bob.user_id]},
    ]
    assert [one["mine"] for one in chat.alice.history(chat.conversation_id)[0]["reactions"]] == [True, False]
    assert [one["mine"] for one in chat.bob.history(chat.conversation_id)[0]["reactions"]] == [True, True]

    chat.at_bob.do("reaction.remove", **chat.place(), emoji="👍")
    left = chat.heard_by_all("reaction", emoji="👍", action="remove")
    assert (left["user_id"], left["count"], left["user_ids"]) == (chat.bob.user_id, 1, [chat.alice.user_id])
    chat.at_alice.do("reaction.remove", **chat.place(), emoji="👍")
    assert chat.heard_by_all("reaction", action="remove", user_id=chat.alice.user_id)["count"] == 0
    assert [one["emoji"] for one in chat.message()["reactions"]] == [family["emoji"]]


def test_reacting_twice_and_taking_back_what_is_not_there_change_nothing(chat: Chat) -> None:
    chat.at_bob.do("reaction.add", **chat.place(), emoji="🎉")
    chat.heard_by_all("reaction", emoji="🎉")
    before = chat.message()

    chat.at_bob.do("reaction.add", **chat.place(), emoji="🎉")
    chat.at_alice.do("reaction.remove", **chat.place(), emoji="🎉")
    chat.at_alice.do("reaction.remove", **chat.place(), emoji="👻")
    chat.settle()

    assert chat.message() == before
    assert len(chat.at_bob.events("reaction")) == 1
    assert chat.at_alice.events("request.rejected") == chat.at_bob.events("request.rejected") == []


def test_a_message_carries_at_most_twenty_different_emoji(chat: Chat) -> None:
    for number in range(20):
        chat.at_bob.do("reaction.add", **chat.place(), emoji=chr(0x1F600 + number))
    chat.heard_by_all("reaction", emoji=chr(0x1F600 + 19))

    assert chat.at_alice.rejection("reaction.add", **chat.place(), emoji="👍") == "invalid_request"
    chat.at_alice.do("reaction.add", **chat.place(), emoji=chr(0x1F600))
    assert chat.heard_by_all("reaction", user_id=chat.alice.user_id)["count"] == 2
    assert len(chat.message()["reactions"]) == 20


def test_only_its_sender_changes_a_message_and_only_a_text_is_edited(chat: Chat) -> None:
    image = chat.at_alice.post(
        {**text_message("x", conversation_id=chat.conversation_id), "type": "image", "content": IMAGE}
    )
    before = chat.message(), chat.message(image["seq"])

    assert chat.at_bob.rejection("message.recall", **chat.place()) == "forbidden"
    assert chat.at_bob.rejection("message.edit", **chat.place(), content={"text": "mine"}) == "forbidden"
    edit = {**chat.place(image["seq"]), "content": {"text": "words"}}
    assert chat.at_alice.rejection("message.edit", **edit) == "invalid_request"

    assert (chat.message(), chat.message(image["seq"])) == before
    assert chat.at_tablet.events("request.rejected") == [], "only the device that asked is told"


@pytest.mark.parametrize("seq", [2, 10**6, 2**63 - 1])
def test_a_message_that_is_not_there_cannot_be_changed(chat: Chat, seq: int) -> None:
    for action, more in (
        ("message.recall", {}),
        ("message.edit", {"content": {"text": "x"}}),
        ("reaction.add", {"emoji": "👍"}),
        ("reaction.remove", {"emoji": "👍"}),
    ):
        assert chat.at_alice.rejection(action, **chat.place(seq), **more) == "message_not_found"
    assert chat.bob.conversation(chat.conversation_id)["last_seq"] == 1


def test_a_recalled_message_can_be_neither_edited_nor_reacted_to(chat: Chat) -> None:
    chat.at_alice.do("message.recall", **chat.place())
    recalled = chat.heard_by_all("message.recalled", seq=1)

    assert chat.at_alice.rejection("message.edit", **chat.place(), content={"text": "back"}) == "message_not_found"
    assert chat.at_bob.rejection("reaction.add", **chat.place(), emoji="👍") == "message_not_found"
    assert chat.message()["change"] == recalled["change"]


def test_an_outsider_changes_nothing_and_learns_nothing(chat: Chat, carol: Person) -> None:
    before = chat.message()
    with carol.connect() as at_carol:
        for action, more in (
            ("message.delivered", {}),
            ("message.read", {}),
            ("message.recall", {}),
            ("message.edit", {"content": {"text": "x"}}),
            ("reaction.add", {"emoji": "👍"}),
            ("reaction.remove", {"emoji": "👍"}),
        ):
            assert at_carol.rejection(action, **chat.place(), **more) == "conversation_not_found"
            nowhere = {"conversation_id": "0" * 32, "seq": 1}
            assert at_carol.rejection(action, **nowhere, **more) == "conversation_not_found"
        at_carol.send("typing", {"conversation_id": chat.conversation_id})
        chat.settle()
        assert at_carol.events("message.new", "reaction", "receipt", "typing", "message.recalled") == []
    assert chat.message() == before
    assert chat.at_alice.events("reaction", "receipt", "typing", "message.recalled", "message.edited") == []


def test_who_was_away_learns_of_every_change_by_the_history(chat: Chat) -> None:
    chat.at_bob.close()
    kept = chat.at_alice.say("stays", conversation_id=chat.conversation_id)["seq"]
    chat.at_alice.do("message.recall", **chat.place())
    chat.at_alice.do("message.edit", **chat.place(kept), content={"text": "stays, edited"})
    chat.at_alice.do("reaction.add", **chat.place(kept), emoji="👍")
    chat.at_alice.wait_event("reaction", seq=kept)

    first, second = chat.bob.history(chat.conversation_id)

    assert (first["recalled"], first["content"]) == (True, {})
    assert (second["content"], [one["count"] for one in second["reactions"]]) == ({"text": "stays, edited"}, [1])
    assert first["change"] < second["change"] == chat.bob.conversation(chat.conversation_id)["change"]


def test_what_one_has_cleared_one_can_neither_change_nor_read_again(chat: Chat) -> None:
    assert chat.bob.rest.delete(f"/conversations/{chat.conversation_id}").status_code == 204

    assert chat.at_bob.rejection("reaction.add", **chat.place(), emoji="👍") == "message_not_found"
    chat.at_alice.do("message.edit", **chat.place(), content={"text": "only for me now"})
    chat.at_tablet.wait_event("message.edited", seq=1)
    second = chat.at_alice.say("and you are back", conversation_id=chat.conversation_id)

    assert [one["seq"] for one in chat.at_bob.wait_messages(2, chat.conversation_id)] == [1, second["seq"]]
    assert [one["seq"] for one in chat.bob.history(chat.conversation_id)] == [second["seq"]]
    assert [one["content"]["text"] for one in chat.alice.history(chat.conversation_id)] == [
        "only for me now",
        "and you are back",
    ]
    chat.at_bob.do("reaction.add", **chat.place(second["seq"]), emoji="👍")
    assert chat.heard_by_all("reaction", seq=second["seq"])["count"] == 1


def test_many_changes_at_once_reach_everybody_once_and_in_order(chat: Chat) -> None:
    sent = []
    for number in range(10):
        sent.append(chat.at_alice.send("message.edit", {**chat.place(), "content": {"text": f"version {number}"}}))
        sent.append(chat.at_alice.send("reaction.add", {**chat.place(), "emoji": chr(0x1F600 + number)}))
        chat.at_alice.send("typing", {"conversation_id": chat.conversation_id})
    chat.at_alice.wait(lambda _: set(sent) <= {frame.get("id") for frame in chat.at_alice.frames})
    assert {frame["event"] for frame in chat.at_alice.frames if frame.get("id") in sent} == {"ack"}
    chat.settle()

    for socket in (chat.at_alice, chat.at_tablet, chat.at_bob):
        socket.wait(lambda frame: frame.get("data", {}).get("change") == 20)
        changes = [one["change"] for one in socket.events("message.edited", "reaction")]
        assert changes == list(range(1, 21))
    message = chat.message()
    assert message["change"] == 20
    assert sorted(one["emoji"] for one in message["reactions"]) == [chr(0x1F600 + number) for number in range(10)]
