"""Contacts through the deployed local stage: from a request over a chat to a block, and back."""

import pytest

from tests.flows.stock_client import Frame, Person, Socket, text_message

pytestmark = pytest.mark.timeout(300)


def befriend(alice: Person, bob: Person) -> str:
    """Let Bob accept what Alice asks, and return their chat."""
    asked = alice.rest.post("/friends/requests", json={"user_id": bob.user_id, "message": "It's me 👋"})
    assert asked.status_code == 201, asked.text
    accepted = bob.rest.post(f"/friends/requests/{asked.json()['request']['request_id']}/accept")
    assert (accepted.status_code, accepted.json()["request"]["status"]) == (200, "accepted")
    (chat,) = bob.rest.get("/conversations").json()["conversations"]
    return str(chat["conversation_id"])


def refusal(socket: Socket, message: Frame) -> str:
    """Send a message that is accepted and refused later, and return the code."""
    assert socket.call("message.send", message)["event"] == "ack"
    return str(socket.wait_event("message.rejected", client_msg_id=message["client_msg_id"])["data"]["code"])


def test_a_request_is_accepted_and_the_two_chat_until_one_blocks_the_other(alice: Person, bob: Person) -> None:
    with alice.connect() as at_alice, bob.connect() as at_bob:
        chat = befriend(alice, bob)
        for socket, direction, peer in ((at_alice, "outgoing", bob), (at_bob, "incoming", alice)):
            for event, status in (("friend.requested", "pending"), ("friend.accepted", "accepted")):
                request = socket.wait_event(event)["data"]["request"]
                assert (request["direction"], request["status"]) == (direction, status)
                assert (request["user"]["user_id"], request["message"]) == (peer.user_id, "It's me 👋")
            assert socket.wait_event("conversation.created")["data"]["conversation"]["conversation_id"] == chat
        (friend,) = alice.rest.get("/friends").json()["friends"]
        assert (friend["user"]["user_id"], friend["online"], friend["remark"]) == (bob.user_id, True, None)

        at_alice.say("hello", conversation_id=chat)
        at_bob.say("hello to you", to=alice.user_id)
        at_bob.wait_messages(1, chat)
        at_alice.wait_messages(1, chat)

        assert bob.rest.put(f"/blocks/{alice.user_id}").status_code == 204
        assert at_alice.wait_event("friend.removed")["data"] == {"user_id": bob.user_id}
        assert at_bob.wait_event("friend.removed")["data"] == {"user_id": alice.user_id}
        assert alice.rest.get("/friends").json()["friends"] == []
        assert refusal(at_alice, text_message("again", conversation_id=chat)) == "blocked"
        assert refusal(at_alice, text_message("again", to=bob.user_id)) == "blocked"
        refused = alice.rest.post(f"/conversations/{chat}/messages", json=text_message("again"))
        assert (refused.status_code, refused.json()["code"]) == (403, "blocked")
        assert at_alice.rejection("message.edit", conversation_id=chat, seq=1, content={"text": "x"}) == "blocked"
        assert at_alice.rejection("reaction.add", conversation_id=chat, seq=1, emoji="👍") == "blocked"
        at_alice.send("typing", {"conversation_id": chat})
        asked = alice.rest.post("/friends/requests", json={"user_id": bob.user_id})
        assert (asked.status_code, asked.json()["code"]) == (403, "blocked")
        assert at_alice.do("presence.subscribe", user_ids=[bob.user_id])["data"] == {"states": []}

        assert bob.rest.delete(f"/blocks/{alice.user_id}").status_code == 204
        assert at_alice.say("welcome back", conversation_id=chat)["seq"] == 3
        heard = at_bob.wait_messages(2, chat)
        assert [message["content"]["text"] for message in heard] == ["hello", "welcome back"]
        assert at_bob.events("typing", "message.edited", "reaction") == []
        states = at_alice.do("presence.subscribe", user_ids=[bob.user_id])["data"]["states"]
        assert [(one["user_id"], one["online"]) for one in states] == [(bob.user_id, True)]


def test_every_device_of_both_hears_what_became_of_a_request(alice: Person, bob: Person) -> None:
    tablet, laptop = alice.with_device("tablet"), bob.with_device("laptop")
    with alice.connect() as phone, tablet.connect() as at_tablet, bob.connect(), laptop.connect() as at_laptop:
        asked = alice.rest.post("/friends/requests", json={"user_id": bob.user_id}).json()["request"]
        for socket in (phone, at_tablet, at_laptop):
            assert socket.wait_event("friend.requested")["data"]["request"]["request_id"] == asked["request_id"]
        assert bob.rest.post(f"/friends/requests/{asked['request_id']}/reject").status_code == 200
        for socket in (phone, at_tablet, at_laptop):
            assert socket.wait_event("friend.rejected")["data"]["request"]["status"] == "rejected"
        assert phone.events("conversation.created") == []
