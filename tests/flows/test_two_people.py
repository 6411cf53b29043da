"""Seed flow 3, through the deployed local stage: frames in, frames out."""

import pytest

from tests.flows.stock_client import Frame, Person, Socket, eventually, text_message

pytestmark = pytest.mark.timeout(300)

SEND_BROKEN = '{"action":"message.send","id":"x","data":%s}'


def stored_answers(socket: Socket) -> list[Frame]:
    return [frame for frame in list(socket.frames) if frame.get("event") == "message.stored"]


def test_two_people_exchange_a_hundred_messages_in_order(alice: Person, bob: Person) -> None:
    with alice.connect() as at_alice, bob.connect() as at_bob:
        conversation_id = ""
        for number in range(50):
            for sender, receiver, socket in ((alice, bob, at_alice), (bob, alice, at_bob)):
                data = text_message(f"{sender.username} says {number} 👋", to=receiver.user_id)
                ack = socket.call("message.send", data)
                assert ack["event"] == "ack", ack
                assert ack["data"] == {"client_msg_id": data["client_msg_id"], "status": "accepted"}
                stored = socket.wait_event("message.stored", client_msg_id=data["client_msg_id"])["data"]
                assert conversation_id in ("", stored["conversation_id"])
                conversation_id = stored["conversation_id"]
                assert stored["seq"] == 2 * number + (1 if sender is alice else 2)

        heard_by_bob = at_bob.wait_messages(50, conversation_id)
        heard_by_alice = at_alice.wait_messages(50, conversation_id)
        assert [message["seq"] for message in heard_by_bob] == list(range(1, 100, 2))
        assert [message["seq"] for message in heard_by_alice] == list(range(2, 101, 2))
        assert at_bob.count_messages(conversation_id) == 50, "without a failure a frame comes once"

    history = alice.history(conversation_id)
    assert history == bob.history(conversation_id)
    assert [message["seq"] for message in history] == list(range(1, 101))
    assert sorted(heard_by_alice + heard_by_bob, key=lambda message: message["seq"]) == history

    # One's own messages count as read; what came from the other side after one's last message does not.
    assert alice.conversation(conversation_id)["unread_count"] == 1
    assert bob.conversation(conversation_id)["unread_count"] == 0
    assert alice.rest.post(f"/conversations/{conversation_id}/read", json={"seq": 100}).json() == {
        "read_seq": 100,
        "unread_count": 0,
    }


def test_every_other_device_gets_the_message_and_the_sending_one_is_told_it_is_stored(
    alice: Person, bob: Person
) -> None:
    tablet = alice.with_device("tablet")
    laptop = bob.with_device("laptop")
    with (
        alice.connect() as at_alice,
        tablet.connect() as at_tablet,
        bob.connect() as at_bob,
        laptop.connect() as at_laptop,
    ):
        data = text_message("to all of us", to=bob.user_id)
        at_alice.call("message.send", data)
        stored = at_alice.wait_event("message.stored", client_msg_id=data["client_msg_id"])["data"]
        for socket in (at_tablet, at_bob, at_laptop):
            (message,) = socket.wait_messages(1, stored["conversation_id"])
            assert message["content"] == {"text": "to all of us"}
            assert (message["seq"], message["message_id"]) == (stored["seq"], stored["message_id"])
            assert message["sender_id"] == alice.user_id
        assert at_alice.count_messages(stored["conversation_id"]) == 0


def test_a_message_sent_over_rest_reaches_every_device_of_both(alice: Person, bob: Person) -> None:
    created = alice.rest.post("/conversations/create", json={"type": "single", "member_ids": [bob.user_id]})
    assert created.status_code == 201
    conversation_id = created.json()["conversation"]["conversation_id"]
    with alice.connect() as at_alice, bob.connect() as at_bob:
        data = text_message("over REST")
        answer = alice.rest.post(f"/conversations/{conversation_id}/messages", json=data)
        assert answer.status_code == 201, answer.text
        for socket in (at_alice, at_bob):
            assert socket.wait_messages(1, conversation_id) == [answer.json()["message"]]
        again = alice.rest.post(f"/conversations/{conversation_id}/messages", json=data)
        assert (again.status_code, again.json()) == (200, answer.json())


def test_the_same_message_over_both_doors_is_stored_once_and_answered_the_same(alice: Person, bob: Person) -> None:
    with alice.connect() as at_alice:
        data = text_message("once", to=bob.user_id)
        at_alice.call("message.send", data)
        first = at_alice.wait_event("message.stored", client_msg_id=data["client_msg_id"])
        answer = alice.rest.post(f"/conversations/{first['data']['conversation_id']}/messages", json=data)
        assert answer.status_code == 200
        assert answer.json()["message"]["seq"] == first["data"]["seq"]

        at_alice.call("message.send", data)
        eventually(lambda: stored_answers(at_alice) == [first, first], "the resend is answered as the first was")
        other = text_message("not the same", client_msg_id=data["client_msg_id"], to=bob.user_id)
        at_alice.call("message.send", other)
        rejected = at_alice.wait_event("message.rejected", client_msg_id=data["client_msg_id"])
        assert rejected["data"]["code"] == "client_msg_id_conflict"
    assert len(alice.history(first["data"]["conversation_id"])) == 1


def test_a_message_to_nobody_is_rejected_after_its_ack(alice: Person) -> None:
    with alice.connect() as socket:
        for target, code in (
            ({"to": "9223372036854775807"}, "user_not_found"),
            ({"conversation_id": "0" * 32}, "conversation_not_found"),
        ):
            data = text_message("hello?", **target)
            ack = socket.call("message.send", data)
            assert ack["event"] == "ack", ack
            rejected = socket.wait_event("message.rejected", client_msg_id=data["client_msg_id"])
            assert rejected["data"]["code"] == code


def test_an_outsider_learns_nothing_of_a_conversation(alice: Person, bob: Person, carol: Person) -> None:
    with alice.connect() as at_alice, carol.connect() as at_carol:
        data = text_message("between us", to=bob.user_id)
        at_alice.call("message.send", data)
        conversation_id = at_alice.wait_event("message.stored")["data"]["conversation_id"]
        for path in ("", "/messages"):
            answer = carol.rest.get(f"/conversations/{conversation_id}{path}")
            assert (answer.status_code, answer.json()["code"]) == (404, "conversation_not_found")
        intruding = text_message("hello", conversation_id=conversation_id)
        at_carol.call("message.send", intruding)
        assert at_carol.wait_event("message.rejected")["data"]["code"] == "conversation_not_found"
    assert len(alice.history(conversation_id)) == 1


def test_hello_tells_who_one_is_and_ping_is_answered(alice: Person) -> None:
    with alice.connect() as socket:
        hello = socket.call("hello")
        assert hello["event"] == "ack"
        assert hello["data"]["user_id"] == alice.user_id
        assert hello["data"]["device_id"] == alice.device_id
        assert {"connection_id", "server_time", "ping_interval_s", "reconnect_before", "limits"} <= hello["data"].keys()
        socket.send("ping")
        assert socket.wait(lambda frame: frame.get("event") == "pong") == {"event": "pong"}


@pytest.mark.parametrize(
    "text",
    [
        "not json",
        "[]",
        "7",
        "{}",
        SEND_BROKEN % "[]",
        '{"action":"invented","id":"x","data":{}}',
        '{"action":"hello","id":"' + "x" * 65 + '","data":{}}',
        SEND_BROKEN % '{"client_msg_id":"m","type":"text","content":{"text":""},"to":"1"}',
        SEND_BROKEN % '{"client_msg_id":"m m","type":"text","content":{"text":"a"},"to":"1"}',
        SEND_BROKEN % '{"client_msg_id":"m","type":"system","content":{"text":"a"},"to":"1"}',
        SEND_BROKEN % '{"client_msg_id":"m","type":"text","content":{"text":"a"}}',
    ],
)
def test_a_frame_that_breaks_the_contract_gets_invalid_request_and_the_connection_stays(
    alice: Person, text: str
) -> None:
    with alice.connect() as socket:
        socket.send_text(text)
        refused = socket.wait(lambda frame: frame.get("event") == "error")
        assert refused["error"]["code"] == "invalid_request"
        assert refused["error"]["retryable"] is False
        assert socket.call("hello")["event"] == "ack"


def test_a_message_to_oneself_is_refused_at_once(alice: Person) -> None:
    with alice.connect() as socket:
        refused = socket.call("message.send", text_message("me", to=alice.user_id))
        assert refused["event"] == "error"
        assert refused["error"]["code"] == "invalid_request"


def test_the_list_shows_the_newest_conversation_first_with_its_last_message(
    alice: Person, bob: Person, carol: Person
) -> None:
    with alice.connect() as socket:
        for friend in (bob, carol, bob):
            data = text_message(f"hi {friend.username}", to=friend.user_id)
            socket.call("message.send", data)
            socket.wait_event("message.stored", client_msg_id=data["client_msg_id"])
    listed = alice.rest.get("/conversations", params={"limit": 1}).json()
    assert [item["peer"]["user_id"] for item in listed["conversations"]] == [bob.user_id]
    assert listed["conversations"][0]["last_message"]["content"] == {"text": f"hi {bob.username}"}
    assert listed["conversations"][0]["last_seq"] == 2
    rest = alice.rest.get("/conversations", params={"limit": 1, "cursor": listed["next_cursor"]}).json()
    assert [item["peer"]["user_id"] for item in rest["conversations"]] == [carol.user_id]
    assert rest["next_cursor"] is None
