"""Receipts, typing and first contact through the deployed local stage: who is told what, and who is not."""

import pytest

from tests.flows.stock_client import Frame, Person, Socket, eventually, text_message

pytestmark = pytest.mark.timeout(300)

TYPING_S = 5.0


def say_three(socket: Socket, to: Person) -> str:
    for number in range(3):
        stored = socket.say(f"number {number}", to=to.user_id)
    return str(stored["conversation_id"])


def latest(socket: Socket) -> Frame:
    """Return the furthest marks that receipts have told this device."""
    told = socket.events("receipt")
    return {name: max((one[name] for one in told), default=0) for name in ("delivered_seq", "read_seq")}


def test_receipts_reach_the_sender_and_the_readers_other_devices(alice: Person, bob: Person) -> None:
    tablet, laptop = alice.with_device("tablet"), bob.with_device("laptop")
    with (
        alice.connect() as at_alice,
        tablet.connect() as at_tablet,
        bob.connect() as at_bob,
        laptop.connect() as at_laptop,
    ):
        chat = say_three(at_alice, bob)
        at_bob.wait_messages(3, chat)

        assert at_bob.do("message.delivered", conversation_id=chat, seq=3)["data"] == {}
        for socket in (at_alice, at_tablet, at_laptop):
            told = socket.wait_event("receipt", conversation_id=chat, delivered_seq=3)["data"]
            assert told == {"conversation_id": chat, "user_id": bob.user_id, "delivered_seq": 3, "read_seq": 0}
        assert at_bob.do("message.read", conversation_id=chat, seq=2)["data"] == {}
        for socket in (at_alice, at_tablet, at_laptop):
            told = socket.wait_event("receipt", conversation_id=chat, read_seq=2)["data"]
            assert told == {"conversation_id": chat, "user_id": bob.user_id, "delivered_seq": 3, "read_seq": 2}

        stored = at_alice.say("a mark", conversation_id=chat)
        at_bob.wait_messages(4, chat)
        assert at_bob.events("receipt") == [], "the acting device knows"
        assert stored["seq"] == 4
    assert bob.conversation(chat)["unread_count"] == 2
    assert bob.conversation(chat)["read_seq"] == 2
    seen = alice.conversation(chat)
    assert (seen["peer_delivered_seq"], seen["peer_read_seq"], seen["unread_count"]) == (3, 2, 0)


def test_receipts_never_move_backwards_nor_beyond_the_last_message(alice: Person, bob: Person) -> None:
    with alice.connect() as at_alice, bob.connect() as at_bob:
        chat = say_three(at_alice, bob)
        at_bob.do("message.read", conversation_id=chat, seq=2)
        at_alice.wait_event("receipt", read_seq=2)
        at_bob.do("message.read", conversation_id=chat, seq=1)
        at_bob.do("message.delivered", conversation_id=chat, seq=1)
        at_bob.do("message.read", conversation_id=chat, seq=2**63 - 1)
        at_alice.wait_event("receipt", read_seq=3)
        assert latest(at_alice) == {"delivered_seq": 3, "read_seq": 3}
        marks = [(one["delivered_seq"], one["read_seq"]) for one in at_alice.events("receipt")]
        assert marks == sorted(set(marks)), "each tells something new"
    assert (bob.conversation(chat)["read_seq"], bob.conversation(chat)["unread_count"]) == (3, 0)
    assert alice.conversation(chat)["peer_read_seq"] == 3


def test_reading_over_rest_is_told_as_reading_over_the_socket(alice: Person, bob: Person) -> None:
    laptop = bob.with_device("laptop")
    with alice.connect() as at_alice, laptop.connect() as at_laptop:
        chat = say_three(at_alice, bob)
        answer = bob.rest.post(f"/conversations/{chat}/read", json={"seq": 3})
        assert (answer.status_code, answer.json()) == (200, {"read_seq": 3, "unread_count": 0})
        for socket in (at_alice, at_laptop):
            told = socket.wait_event("receipt", conversation_id=chat)["data"]
            assert told == {"conversation_id": chat, "user_id": bob.user_id, "delivered_seq": 3, "read_seq": 3}


def test_many_receipts_end_in_the_furthest(alice: Person, bob: Person) -> None:
    with alice.connect() as at_alice, bob.connect() as at_bob:
        for number in range(20):
            stored = at_alice.say(f"number {number}", to=bob.user_id)
        chat = stored["conversation_id"]
        for seq in range(1, 21):
            at_bob.send("message.read", {"conversation_id": chat, "seq": seq})
        eventually(lambda: latest(at_alice) == {"delivered_seq": 20, "read_seq": 20}, "the last receipt")
    assert bob.conversation(chat)["unread_count"] == 0


def test_typing_arrives_at_once_has_no_reply_and_is_never_stored(alice: Person, bob: Person) -> None:
    with alice.connect() as at_alice, bob.connect() as at_bob:
        chat = at_alice.say("hi", to=bob.user_id)["conversation_id"]
        at_bob.wait_messages(1, chat)
        before = bob.conversation(chat)

        frame_id = at_alice.send("typing", {"conversation_id": chat})
        told = at_bob.wait_event("typing", within_s=TYPING_S)["data"]

        assert told == {"conversation_id": chat, "user_id": alice.user_id}
        at_bob.say("I see you typing", conversation_id=chat)
        at_alice.wait_messages(1, chat)
        assert [frame for frame in at_alice.frames if frame.get("id") == frame_id] == []
        assert at_alice.events("typing") == []
    after = bob.conversation(chat)
    assert (after["last_seq"], after["change"]) == (before["last_seq"] + 1, before["change"])
    assert len(alice.history(chat)) == 2


def test_a_refused_typing_is_told_and_the_connection_stays(alice: Person) -> None:
    with alice.connect() as socket:
        for data, code in (
            ({}, "invalid_request"),
            ({"conversation_id": 7}, "invalid_request"),
            ({"conversation_id": "nowhere"}, "conversation_not_found"),
        ):
            refused = socket.call("typing", data)
            assert (refused["event"], refused["error"]["code"]) == ("error", code)
        assert socket.call("hello")["event"] == "ack"


def test_the_first_contact_tells_every_device_of_both_of_their_conversation(alice: Person, bob: Person) -> None:
    tablet = alice.with_device("tablet")
    with alice.connect() as at_alice, tablet.connect() as at_tablet, bob.connect() as at_bob:
        chat = at_alice.say("hi", to=bob.user_id)["conversation_id"]
        for socket, peer in ((at_alice, bob), (at_tablet, bob), (at_bob, alice)):
            created = socket.wait_event("conversation.created")["data"]["conversation"]
            assert (created["conversation_id"], created["type"]) == (chat, "single")
            assert created["peer"]["user_id"] == peer.user_id
            assert (created["peer"]["username"], created["member_count"]) == (peer.username, 2)
        at_bob.say("hello", conversation_id=chat)
        at_bob.say("hello again", to=alice.user_id)
        at_alice.wait_messages(2, chat)
        assert [len(socket.events("conversation.created")) for socket in (at_alice, at_tablet, at_bob)] == [1, 1, 1]


def test_a_conversation_made_over_rest_is_told_to_both(alice: Person, bob: Person) -> None:
    with alice.connect() as at_alice, bob.connect() as at_bob:
        answer = alice.rest.post("/conversations/create", json={"type": "single", "member_ids": [bob.user_id]})
        assert answer.status_code == 201
        made = answer.json()["conversation"]
        assert at_alice.wait_event("conversation.created")["data"]["conversation"] == made
        told = at_bob.wait_event("conversation.created")["data"]["conversation"]
        assert (told["conversation_id"], told["peer"]["user_id"]) == (made["conversation_id"], alice.user_id)
        again = bob.rest.post("/conversations/create", json={"type": "single", "member_ids": [alice.user_id]})
        assert again.status_code == 200
        data = text_message("so it begins", conversation_id=made["conversation_id"])
        at_bob.post(data)
        at_alice.wait_messages(1, made["conversation_id"])
        assert len(at_bob.events("conversation.created")) == 1


def test_settings_of_a_conversation_are_told_to_ones_own_devices_alone(alice: Person, bob: Person) -> None:
    tablet = alice.with_device("tablet")
    with alice.connect() as at_alice, tablet.connect() as at_tablet, bob.connect() as at_bob:
        chat = at_alice.say("hi", to=bob.user_id)["conversation_id"]
        answer = alice.rest.patch(f"/conversations/{chat}", json={"muted": True, "pinned": True})
        assert answer.status_code == 200, answer.text
        updated = at_tablet.wait_event("conversation.updated")["data"]["conversation"]
        assert (updated["conversation_id"], updated["muted"], updated["pinned"]) == (chat, True, True)
        at_alice.say("a mark", conversation_id=chat)
        at_bob.wait_messages(2, chat)
        assert at_bob.events("conversation.updated") == []
    assert (bob.conversation(chat)["muted"], bob.conversation(chat)["pinned"]) == (False, False)
