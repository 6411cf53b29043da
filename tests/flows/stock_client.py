"""A client written from the public contract alone, on a stock HTTP and a stock WebSocket library."""

import contextlib
import itertools
import json
import socket
import threading
import time
import uuid
from collections.abc import Callable
from contextlib import AbstractContextManager, ExitStack
from dataclasses import dataclass, field
from types import TracebackType
from typing import Any, Self

import httpx
from websockets.exceptions import ConnectionClosed
from websockets.sync.client import ClientConnection, connect

from tests.flows.frame_contract import check_frames

DEADLINE_S = 20.0
"""How long a test waits for what must come: far over any budget, so that only a loss fails."""

PASSWORD = "correct horse battery"

Frame = dict[str, Any]


@dataclass
class Socket:
    """One open WebSocket: keeps every frame that came, lets tests wait for one."""

    opening: AbstractContextManager[ClientConnection]
    frames: list[Frame] = field(default_factory=list)
    closed: bool = False
    _held: ExitStack = field(default_factory=ExitStack)
    _changed: threading.Condition = field(default_factory=threading.Condition)
    _ids: "itertools.count[int]" = field(default_factory=lambda: itertools.count(1))

    def __post_init__(self) -> None:
        self.connection = self._held.enter_context(self.opening)
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()

    def _read(self) -> None:
        try:
            for text in self.connection:
                with self._changed:
                    self.frames.append(json.loads(text))
                    self._changed.notify_all()
        except ConnectionClosed:
            pass
        with self._changed:
            self.closed = True
            self._changed.notify_all()

    def send_text(self, text: str | bytes) -> None:
        """Send a frame as it is."""
        self.connection.send(text)

    def send(self, action: str, data: Frame | None = None) -> str:
        """Send a frame and return its id, without waiting."""
        frame_id = f"f-{next(self._ids)}"
        self.send_text(json.dumps({"action": action, "id": frame_id, "data": data or {}}, ensure_ascii=False))
        return frame_id

    def call(self, action: str, data: Frame | None = None) -> Frame:
        """Send a frame and return its `ack` or `error`."""
        frame_id = self.send(action, data)
        return self.wait(lambda frame: frame.get("id") == frame_id)

    def say(self, text: str, **target: str) -> Frame:
        """Send a text for `to=` or `conversation_id=`; return the data of its `message.stored`."""
        return self.post(text_message(text, **target))

    def post(self, data: Frame) -> Frame:
        """Send a message; return the data of its `message.stored`."""
        ack = self.call("message.send", data)
        assert ack["event"] == "ack", ack
        stored = self.wait_event("message.stored", client_msg_id=data["client_msg_id"])["data"]
        assert isinstance(stored, dict)
        return stored

    def do(self, action: str, **data: object) -> Frame:
        """Send a frame that is acknowledged and never refused later; return its `ack`."""
        ack = self.call(action, data)
        assert ack["event"] == "ack", ack
        return ack

    def rejection(self, action: str, **data: object) -> str:
        """Send a frame that is acknowledged and refused later; return the code."""
        ack = self.do(action, **data)
        rejected = self.wait(
            lambda frame: frame.get("event") == "request.rejected" and frame["data"]["id"] == ack["id"]
        )
        assert rejected["data"]["action"] == action
        return str(rejected["data"]["code"])

    def events(self, *names: str) -> list[Frame]:
        """Return the data of these events, in the order of arrival."""
        return [frame["data"] for frame in list(self.frames) if frame.get("event") in names]

    def wait(self, wanted: Callable[[Frame], object], *, within_s: float = DEADLINE_S) -> Frame:
        """Return the first frame that is wanted, past or to come; fails when none comes in time."""
        found: list[Frame] = []

        def look() -> bool:
            found[:] = [frame for frame in self.frames if wanted(frame)][:1]
            return bool(found) or self.closed

        with self._changed:
            self._changed.wait_for(look, timeout=within_s)
            assert found, f"no such frame; closed={self.closed}; got {self.frames[-5:]}"
            return found[0]

    def wait_event(self, event: str, *, within_s: float = DEADLINE_S, **data: object) -> Frame:
        """Return the first frame of an event whose data has these values."""

        def wanted(frame: Frame) -> bool:
            return frame.get("event") == event and all(frame["data"].get(key) == value for key, value in data.items())

        return self.wait(wanted, within_s=within_s)

    def wait_messages(self, count: int, conversation_id: str, *, within_s: float = DEADLINE_S) -> list[Frame]:
        """Return the first `count` different messages that arrived for a conversation, in the order of arrival."""
        with self._changed:
            self._changed.wait_for(lambda: len(self.messages(conversation_id)) >= count, timeout=within_s)
            arrived = self.messages(conversation_id)
        assert len(arrived) >= count, f"{len(arrived)} of {count} messages arrived"
        return arrived[:count]

    def messages(self, conversation_id: str) -> list[Frame]:
        """Return the messages that arrived for a conversation, each once, in the order of arrival."""
        seen: dict[int, Frame] = {}
        for frame in list(self.frames):
            if frame.get("event") == "message.new":
                for message in frame["data"]["messages"]:
                    if message["conversation_id"] == conversation_id:
                        seen.setdefault(message["seq"], message)
        return list(seen.values())

    def count_messages(self, conversation_id: str) -> int:
        """Count the messages of a conversation that arrived, repeats included."""
        return sum(
            message["conversation_id"] == conversation_id
            for frame in list(self.frames)
            if frame.get("event") == "message.new"
            for message in frame["data"]["messages"]
        )

    def wait_closed(self, *, within_s: float = DEADLINE_S) -> int | None:
        """Wait until the server has closed the connection and return its close code."""
        with self._changed:
            assert self._changed.wait_for(lambda: self.closed, timeout=within_s), "the connection is still open"
        return self.connection.close_code

    def drop(self) -> None:
        """Tear the TCP connection down without a closing handshake, as a phone in a tunnel does."""
        with contextlib.suppress(OSError):
            self.connection.socket.shutdown(socket.SHUT_RDWR)

    def close(self) -> None:
        """Close it properly."""
        self._held.close()
        self._reader.join(DEADLINE_S)
        check_frames(self.frames)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self.close()


class Person:
    """Somebody with an account and one device; `rest` carries the access token."""

    def __init__(self, http_url: str, websocket_url: str, name: str, *, device_id: str = "phone") -> None:
        self.http_url = http_url
        self.websocket_url = websocket_url
        self.username = f"{name}-{uuid.uuid4().hex[:10]}"
        self.device_id = device_id
        self._closing = ExitStack()
        self.open = self._closing.enter_context(httpx.Client(base_url=f"{http_url}/api/v1", timeout=35))
        self.user: Frame = {}
        self.tokens: Frame = {}

    def register(self) -> Self:
        """Make the account and log in on the first device."""
        answer = self.open.post(
            "/auth/register",
            json={"username": self.username, "password": PASSWORD, "display_name": self.username.title()},
        )
        assert answer.status_code == 201, answer.text
        self.user = answer.json()["user"]
        return self.log_in()

    def log_in(self) -> Self:
        """Log this device in."""
        answer = self.open.post(
            "/auth/login",
            json={
                "username": self.username,
                "password": PASSWORD,
                "device_id": self.device_id,
                "platform": "ios",
            },
        )
        assert answer.status_code == 200, answer.text
        self.tokens = answer.json()
        return self

    def with_device(self, device_id: str) -> "Person":
        """Return the same account on another device, logged in."""
        other = Person(self.http_url, self.websocket_url, "x", device_id=device_id)
        other.username, other.user = self.username, self.user
        self._closing.callback(other.close)
        return other.log_in()

    def close(self) -> None:
        """Close the HTTP connections, those of the other devices too."""
        self._closing.close()

    @property
    def user_id(self) -> str:
        user_id = self.user["user_id"]
        assert isinstance(user_id, str)
        return user_id

    @property
    def rest(self) -> httpx.Client:
        """Return a REST client that bears the access token."""
        self.open.headers["authorization"] = f"Bearer {self.tokens['access_token']}"
        return self.open

    def connect(self) -> Socket:
        """Open a WebSocket with the token in the header."""
        headers = {"Authorization": f"Bearer {self.tokens['access_token']}"}
        return Socket(connect(self.websocket_url, additional_headers=headers, open_timeout=DEADLINE_S))

    def history(self, conversation_id: str) -> list[Frame]:
        """Return the whole history of a conversation by paging upwards."""
        messages: list[Frame] = []
        while True:
            after = messages[-1]["seq"] if messages else 0
            answer = self.rest.get(
                f"/conversations/{conversation_id}/messages", params={"after_seq": after, "limit": 100}
            )
            assert answer.status_code == 200, answer.text
            page = answer.json()
            messages.extend(page["messages"])
            if not page["has_more"]:
                return messages

    def conversation(self, conversation_id: str) -> Frame:
        """Return one conversation as this person sees it."""
        answer = self.rest.get(f"/conversations/{conversation_id}")
        assert answer.status_code == 200, answer.text
        conversation: Frame = answer.json()["conversation"]
        return conversation


def text_message(text: str, *, client_msg_id: str | None = None, **target: str) -> Frame:
    """Build the data of a `message.send` for `to=` or `conversation_id=`."""
    return {"client_msg_id": client_msg_id or uuid.uuid4().hex, "type": "text", "content": {"text": text}, **target}


def eventually(condition: Callable[[], bool], what: str, *, within_s: float = DEADLINE_S) -> None:
    """Poll until a condition holds; fails with `what` when it does not in time."""
    deadline = time.monotonic() + within_s
    while not condition():
        assert time.monotonic() < deadline, f"not within {within_s} s: {what}"
        threading.Event().wait(0.05)
