"""Messages of every type over both doors: what goes in is what both people read, live and in the history."""

import uuid

import pytest

from tests.flows.stock_client import Frame, Person, Socket, text_message

pytestmark = pytest.mark.timeout(300)

MEDIA = {"url": "https://example.org/a%20b.bin?x=1", "mime": "application/x-thing; charset=utf-8", "size": 2**40}
PICTURE = {**MEDIA, "width": 640, "height": 480, "thumbnail_url": "http://example.org/t", "blurhash": "LKO2?U%2Tw=w"}
TYPES: list[tuple[str, Frame]] = [
    ("text", {"text": "x" * 8_000}),
    ("text", {"text": "😀" * 6_144}),
    ("text", {"text": "é😀 漢字 \u202eright to left\u202c e\u0301 \u00a0"}),
    ("text", {"text": "\u0000\u0001\u0007\u001b[31m\t\r\n\u007f\u2028\ufeff\uffff"}),
    ("text", {"text": " "}),
    ("text", {"text": '"},{"sender_id":"1\\u0000%s\'; DROP TABLE messages; --'}),
    ("image", PICTURE),
    ("audio", {**MEDIA, "mime": "audio/ogg", "duration_ms": 2_500}),
    ("video", {**MEDIA, "mime": "video/mp4", "duration_ms": 0, "width": 1, "height": 100_000}),
    ("file", {**MEDIA, "name": "Grüße \u0000.pdf", "size": 0}),
    ("location", {"latitude": -90, "longitude": 180, "name": "South Pole", "address": "everywhere\nat once"}),
    ("location", {"latitude": 52.520008, "longitude": 13.404954, "accuracy_m": 1.5e-3}),
    ("custom", {}),
    ("custom", {"a": [None, True, -1.5, 2**53, {"": "\u0000"}], "type": "system", "😀": {"deep": [[[[[]]]]]}}),
]


def message(type_: str, content: Frame, **more: object) -> Frame:
    return {"client_msg_id": uuid.uuid4().hex, "type": type_, "content": content, **more}


def read_by(socket: Socket, conversation_id: str, seq: int) -> Frame:
    (found,) = [one for one in socket.wait_messages(seq, conversation_id) if one["seq"] == seq]
    return found


def test_every_type_arrives_as_it_was_sent_over_either_door(alice: Person, bob: Person) -> None:
    with alice.connect() as at_alice, bob.connect() as at_bob:
        for type_, content in TYPES:
            stored = at_alice.post(message(type_, content, to=bob.user_id))
            chat = stored["conversation_id"]
            live = read_by(at_bob, chat, stored["seq"])
            assert (live["type"], live["content"]) == (type_, content)

            over_rest = alice.rest.post(f"/conversations/{chat}/messages", json=message(type_, content))
            assert over_rest.status_code == 201, over_rest.text
            twin = over_rest.json()["message"]
            assert (twin["type"], twin["content"]) == (type_, content)
            assert read_by(at_bob, chat, twin["seq"]) == twin
    history = bob.history(chat)
    assert [(one["type"], one["content"]) for one in history] == [one for one in TYPES for _ in range(2)]
    assert history == at_bob.messages(chat)


def test_the_same_content_written_otherwise_is_the_same_message(alice: Person, bob: Person) -> None:
    with alice.connect() as at_alice:
        escaped = r'{"client_msg_id":"twice","type":"text","to":"%s","content":{"text":"\u00e9\ud83d\ude00\u0000"}}'
        at_alice.send_text('{"action":"message.send","id":"1","data":%s}' % (escaped % bob.user_id))
        first = at_alice.wait_event("message.stored", client_msg_id="twice")
        chat = first["data"]["conversation_id"]
        again = {"client_msg_id": "twice", "type": "text", "content": {"text": "é😀\u0000", "ignored": 1}}
        answer = alice.rest.post(f"/conversations/{chat}/messages", json=again)
        assert (answer.status_code, answer.json()["message"]["seq"]) == (200, 1)
    assert [one["content"] for one in bob.history(chat)] == [{"text": "é😀\u0000"}]


def test_what_a_client_adds_to_a_text_is_not_kept(alice: Person, bob: Person) -> None:
    with alice.connect() as at_alice:
        stored = at_alice.post(message("text", {"text": "hi", "html": "<b>hi</b>"}, to=bob.user_id))
    assert bob.history(stored["conversation_id"])[0]["content"] == {"text": "hi"}


def test_a_reply_names_what_it_answers(alice: Person, bob: Person) -> None:
    with alice.connect() as at_alice, bob.connect() as at_bob:
        chat = at_alice.say("a question", to=bob.user_id)["conversation_id"]
        stored = at_bob.post({**text_message("an answer", conversation_id=chat), "reply_to_seq": 1})
        (heard,) = at_alice.wait_messages(1, chat)
        assert (heard["seq"], heard["reply_to_seq"]) == (stored["seq"], 1)
        over_rest = bob.rest.post(
            f"/conversations/{chat}/messages", json={**text_message("another"), "reply_to_seq": 1}
        )
        assert over_rest.json()["message"]["reply_to_seq"] == 1
    assert [one["reply_to_seq"] for one in alice.history(chat)] == [None, 1, 1]


def test_mentions_are_kept_each_once_and_all_stands_alone(alice: Person, bob: Person) -> None:
    with alice.connect() as at_alice, bob.connect() as at_bob:
        for mentions, kept in (
            ([bob.user_id] * 50, [bob.user_id]),
            ([bob.user_id, alice.user_id, bob.user_id], [bob.user_id, alice.user_id]),
            (["all"], ["all"]),
            ([], []),
        ):
            data = {**text_message("hear, hear", to=bob.user_id), "mentions": mentions}
            stored = at_alice.post(data)
            heard = read_by(at_bob, stored["conversation_id"], stored["seq"])
            assert heard["mentions"] == kept
            twin = alice.rest.post(
                f"/conversations/{stored['conversation_id']}/messages",
                json={**text_message("hear, hear"), "mentions": mentions},
            )
            assert twin.json()["message"]["mentions"] == kept
            read_by(at_bob, stored["conversation_id"], twin.json()["message"]["seq"])
    assert [one["mentions"] for one in bob.history(stored["conversation_id"])] == [
        one for kept in ([bob.user_id], [bob.user_id, alice.user_id], ["all"], []) for one in (kept, kept)
    ]
