"""A group through the deployed local stage: made, talked in, joined, left, muted, dissolved."""

from collections.abc import Callable

import pytest

from tests.flows.stock_client import Frame, Person, Socket, text_message

pytestmark = pytest.mark.timeout(300)

MUTING = {"muted_until": "2999-01-01T00:00:00Z"}


def refusal(socket: Socket, message: Frame) -> str:
    """Send a message that is accepted and refused later, and return the code."""
    assert socket.call("message.send", message)["event"] == "ack"
    return str(socket.wait_event("message.rejected", client_msg_id=message["client_msg_id"])["data"]["code"])


def texts(socket: Socket, chat: str) -> list[str]:
    """Return the texts that a device got of a conversation."""
    return [one["content"]["text"] for one in socket.messages(chat) if one["type"] == "text"]


def come_and_go(alice: Person, bob: Person, dave: Person, sockets: tuple[Socket, Socket], chat: str, url: str) -> None:
    """Let Bob bring Dave in and Alice take him out again."""
    at_alice, at_dave = sockets
    assert refusal(at_dave, text_message("let me in", conversation_id=chat)) == "conversation_not_found"
    assert bob.rest.post(f"{url}/members", json={"user_ids": [dave.user_id]}).status_code == 200
    assert at_dave.wait_event("group.invited")["data"]["inviter_id"] == bob.user_id
    assert at_alice.wait_event("group.member_joined")["data"]["user_ids"] == [dave.user_id]
    assert at_dave.say("here I am", conversation_id=chat)["seq"] == 5
    assert [one["seq"] for one in dave.history(chat)] == [4, 5]
    assert at_dave.rejection("reaction.add", conversation_id=chat, seq=2, emoji="👍") == "message_not_found"

    assert alice.rest.delete(f"{url}/members/{dave.user_id}").status_code == 204
    assert at_dave.wait_event("group.member_left")["data"]["user_ids"] == [dave.user_id]
    assert refusal(at_dave, text_message("still here", conversation_id=chat)) == "conversation_not_found"
    assert at_alice.say("he has gone", conversation_id=chat)["seq"] == 7


def test_a_group_is_made_talked_in_joined_left_muted_and_dissolved(
    alice: Person, bob: Person, carol: Person, somebody: Callable[[str], Person]
) -> None:
    dave = somebody("dave")
    with alice.connect() as at_alice, bob.connect() as at_bob, carol.connect() as at_carol, dave.connect() as at_dave:
        made = alice.rest.post("/groups/create", json={"name": "Friday 🎉", "member_ids": [bob.user_id, carol.user_id]})
        assert made.status_code == 201, made.text
        group = made.json()["group"]
        chat, url = group["conversation_id"], f"/groups/{group['group_id']}"
        for socket in (at_bob, at_carol):
            assert socket.wait_event("group.invited")["data"]["group"] == group
            conversation = socket.wait_event("conversation.created")["data"]["conversation"]
            assert (conversation["conversation_id"], conversation["name"]) == (chat, "Friday 🎉")

        assert at_alice.say("hello", conversation_id=chat)["seq"] == 2
        assert at_bob.say("hello to you", conversation_id=chat)["seq"] == 3
        at_carol.wait_messages(3, chat)
        assert texts(at_carol, chat) == ["hello", "hello to you"]
        at_carol.do("message.read", conversation_id=chat, seq=3)
        for socket in (at_alice, at_bob):
            assert socket.wait_event("receipt", user_id=carol.user_id)["data"]["read_seq"] == 3
        at_bob.send("typing", {"conversation_id": chat})
        assert at_carol.wait_event("typing")["data"]["user_id"] == bob.user_id

        come_and_go(alice, bob, dave, (at_alice, at_dave), chat, url)

        assert alice.rest.patch(f"{url}/members/{bob.user_id}", json=MUTING).status_code == 200
        assert refusal(at_bob, text_message("but", conversation_id=chat)) == "muted"
        assert at_bob.rejection("message.edit", conversation_id=chat, seq=3, content={"text": "x"}) == "muted"
        assert at_bob.rejection("message.recall", conversation_id=chat, seq=2) == "forbidden"
        at_alice.do("message.recall", conversation_id=chat, seq=3)
        assert at_carol.wait_event("message.recalled")["data"]["seq"] == 3

        assert carol.rest.delete(f"{url}/members/{carol.user_id}").status_code == 204
        assert at_bob.wait_event("group.member_left", user_ids=[carol.user_id])["data"]["group"]["member_count"] == 2
        assert alice.rest.delete(url).status_code == 204
        assert at_bob.wait_event("group.dissolved")["data"]["group"]["dissolved_at"] is not None
        assert refusal(at_alice, text_message("the end", conversation_id=chat)) == "group_dissolved"
        assert bob.history(chat)[6]["content"] == {"text": "he has gone"}
        assert "he has gone" not in texts(at_dave, chat)
