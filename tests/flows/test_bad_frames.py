"""Frames that break the contract, through the deployed local stage: a clear code, no effect, the connection open."""

import json
import threading
from collections.abc import Iterator
from typing import Any

import pytest

from tests.flows.stock_client import Frame, Person, Socket, text_message

pytestmark = pytest.mark.timeout(300)

OF_A_MESSAGE: dict[str, Frame] = {
    "message.delivered": {},
    "message.read": {},
    "message.recall": {},
    "message.edit": {"content": {"text": "x"}},
    "reaction.add": {"emoji": "👍"},
    "reaction.remove": {"emoji": "👍"},
}
NO_SEQS: list[object] = [0, -1, -(2**63), 2**63, 2**64, 10**300, 1.0, 0.5, 1e400, "1", "", None, True, [1], {"seq": 1}]
NO_CHATS = ["", "x", "0" * 31, "0" * 33, "A" * 32, "0" * 31 + "g", "' OR 1=1 --", "\u0000" * 32, "😀" * 8]
NO_IDS: list[object] = [None, 7, ["0" * 32], {}]
NO_TEXTS: list[object] = [
    None,
    "x",
    [],
    7,
    {},
    {"text": ""},
    {"text": 1},
    {"text": "x" * 8_001},
    {"text": "😀" * 6_145},
]
NO_EMOJI: list[object] = [
    "",
    "a",
    "👍a",
    "👍 ",
    "ok",
    ":+1:",
    "<b>",
    "👍\u0000",
    "👍\u202e",
    "👍" * 17,
    None,
    7,
    ["👍"],
]
NO_MESSAGES: list[Frame] = [
    {"client_msg_id": ""},
    {"client_msg_id": "a b"},
    {"client_msg_id": "x" * 65},
    {"client_msg_id": "\u0000"},
    {"client_msg_id": 7},
    {"type": "system"},
    {"type": "nonsense"},
    {"type": None},
    {"type": "custom", "content": {"x": "y" * 16_384}},
    {"type": "image", "content": {"url": "https://example.org", "mime": "image/png"}},
    {"type": "image", "content": {"url": "javascript:alert(1)", "mime": "image/png", "size": 1}},
    {"type": "image", "content": {"url": "https://example.org", "mime": "image/png", "size": 1, "width": 0}},
    {"type": "video", "content": {"url": "https://example.org", "mime": "video/mp4", "size": 1, "duration_ms": -1}},
    {"type": "file", "content": {"url": "https://example.org", "mime": "a/b", "size": 1, "name": "x" * 256}},
    {"type": "file", "content": {"url": "https://example.org", "mime": "a/b", "size": 2**63}},
    {"type": "location", "content": {"latitude": 90.001, "longitude": 0}},
    {"type": "location", "content": {"latitude": "0", "longitude": 0}},
    {"mentions": ["all", "1"]},
    {"mentions": ["nobody"]},
    {"mentions": [str(number) for number in range(1, 52)]},
    {"mentions": "all"},
    {"mentions": [7]},
    {"reply_to_seq": 0},
    {"reply_to_seq": -1},
    {"reply_to_seq": 2**63},
    {"reply_to_seq": "1"},
]
UNREADABLE = [
    "",
    " ",
    "null",
    "true",
    "7",
    '"text"',
    "[]",
    "{}",
    "{",
    '{"action":"message.read","id":"x","data":{}',
    '{"action":"message.read","id":"x","data":null}',
    '{"action":"message.read","id":"x","data":[]}',
    '{"action":"message.read","id":7,"data":{}}',
    '{"action":"message.read","id":"","data":{}}',
    '{"action":"message.read","id":"a b","data":{}}',
    '{"action":"message.read","data":{}}',
    '{"action":null,"id":"x","data":{}}',
    '{"action":{},"id":"x","data":{}}',
    '{"action":"","id":"x","data":{}}',
    '{"action":"message.Read","id":"x","data":{}}',
    '{"action":"$connect","id":"x","data":{}}',
    '{"action":"$default","id":"x","data":{}}',
    '{"action":"__proto__","id":"x","data":{}}',
    '{"action":"message.new","id":"x","data":{"messages":[]}}',
    r'{"action":"message.read","id":"x","data":{"conversation_id":"\ud800","seq":1}}',
    r'{"action":"message.edit","id":"x","data":{"conversation_id":"0","seq":1,"content":{"text":"\udc00"}}}',
    '{"action":"message.edit","id":"x","data":{"content":%s}}' % ("[" * 10_000 + "]" * 10_000),
    '{"action":"message.send","id":"x","data":%s}' % ('{"a":' * 4_000 + "1" + "}" * 4_000),
    "[" * 30_000,
]  # fmt: skip


class Careful:
    """Speaks on one socket, one frame at a time, and waits when it is told that it goes too fast."""

    def __init__(self, socket: Socket) -> None:
        self.socket = socket
        self.spoken = 0

    def refused(self, text: str) -> Frame:
        """Send a frame as it is and return the `error` that answers it."""
        while True:
            self.socket.send_text(text)
            self.spoken += 1
            answer = self.socket.wait(lambda _: len(self._errors()) == self.spoken) and self._errors()[-1]
            if answer["error"]["code"] != "rate_limited":
                return answer
            threading.Event().wait(answer["error"]["retry_after_ms"] / 1000)

    def code(self, action: str, data: Any) -> str:
        """Send a frame and return the code of its refusal."""
        answer = self.refused(
            json.dumps({"action": action, "id": f"bad-{self.spoken}", "data": data}, ensure_ascii=False)
        )
        assert answer["error"]["retryable"] is False
        return str(answer["error"]["code"])

    def _errors(self) -> list[Frame]:
        return [frame for frame in list(self.socket.frames) if frame.get("event") == "error"]


@pytest.fixture
def quiet_chat(alice: Person, bob: Person) -> Iterator[tuple[Careful, str]]:
    """Let Alice speak badly in her chat with Bob; afterwards nothing has happened in it, and her connection is open."""
    with alice.connect() as at_alice, bob.connect() as at_bob:
        chat = at_alice.say("all quiet", to=bob.user_id)["conversation_id"]
        at_bob.wait_messages(1, chat)
        before = bob.history(chat), bob.conversation(chat)
        yield Careful(at_alice), chat
        assert (bob.history(chat), bob.conversation(chat)) == before
        frame = at_alice.call("hello")
        while frame["event"] == "error":
            threading.Event().wait(frame["error"]["retry_after_ms"] / 1000)
            frame = at_alice.call("hello")
        assert frame["event"] == "ack"
        assert at_bob.events("reaction", "receipt", "typing", "message.recalled", "message.edited") == []
        assert at_bob.count_messages(chat) == 1


def test_a_seq_that_no_message_has_is_refused_for_every_action(quiet_chat: tuple[Careful, str]) -> None:
    alice, chat = quiet_chat
    for action, more in OF_A_MESSAGE.items():
        for seq in NO_SEQS:
            data = {"conversation_id": chat, "seq": seq, **more}
            text = json.dumps({"action": action, "id": "x", "data": data}).replace("Infinity", "1e400")
            refused = alice.refused(text)
            assert (refused["id"], refused["error"]["code"]) == ("x", "invalid_request"), (action, seq)
            assert refused["error"]["message"].startswith("seq: "), (action, seq)


def test_an_id_that_no_conversation_has_is_not_found(quiet_chat: tuple[Careful, str]) -> None:
    alice, _ = quiet_chat
    for action, more in {**OF_A_MESSAGE, "typing": {}}.items():
        for chat in NO_CHATS:
            code = alice.code(action, {"conversation_id": chat, "seq": 1, **more})
            assert code == "conversation_not_found", (action, chat)
        for no_id in NO_IDS:
            code = alice.code(action, {"conversation_id": no_id, "seq": 1, **more})
            assert code == "invalid_request", (action, no_id)


def test_a_text_that_could_not_be_sent_replaces_none(quiet_chat: tuple[Careful, str]) -> None:
    alice, chat = quiet_chat
    for content in NO_TEXTS:
        code = alice.code("message.edit", {"conversation_id": chat, "seq": 1, "content": content})
        assert code == "invalid_request", content


def test_what_is_no_emoji_is_no_reaction(quiet_chat: tuple[Careful, str]) -> None:
    alice, chat = quiet_chat
    for action in ("reaction.add", "reaction.remove"):
        for emoji in NO_EMOJI:
            code = alice.code(action, {"conversation_id": chat, "seq": 1, "emoji": emoji})
            assert code == "invalid_request", emoji


def test_a_message_that_breaks_a_rule_is_not_sent(quiet_chat: tuple[Careful, str]) -> None:
    alice, chat = quiet_chat
    for bad in NO_MESSAGES:
        data = {**text_message("hello", conversation_id=chat), **bad}
        assert alice.code("message.send", data) == "invalid_request", bad
    for target in ({"to": ""}, {"to": "0"}, {"to": "-1"}, {"to": str(2**63)}, {"to": "me"}):
        assert alice.code("message.send", text_message("hello", **target)) == "user_not_found", target


def test_a_frame_that_can_not_be_read_is_refused(quiet_chat: tuple[Careful, str]) -> None:
    alice, _ = quiet_chat
    for text in UNREADABLE:
        assert alice.refused(text)["error"]["code"] == "invalid_request", text[:100]


def test_every_fault_of_a_frame_is_told_in_one_answer(quiet_chat: tuple[Careful, str]) -> None:
    alice, _ = quiet_chat
    told = alice.refused(
        '{"action":"message.edit","id":"x","data":{"conversation_id":7,"seq":0,"content":{"text":""}}}'
    )["error"]["message"]
    assert [fault.split(":")[0] for fault in told.split("; ")] == ["conversation_id", "seq", "content.text"]
