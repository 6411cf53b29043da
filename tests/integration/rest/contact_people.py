"""People who ask each other to be friends, over REST, and what their devices are told."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import msgspec

from gochat_contracts.records import DownstreamRecord
from gochat_core.ids import single_conversation_id
from gochat_core.types import UserId
from tests.fakes.http_api import HttpAnswer
from tests.integration.rest.conftest import Login, Rest

BAD_LINES: list[object] = [
    "x" * 1_000,
    "😀" * 201,
    "   ",
    "\u3000",
    "two\nlines",
    "tab\there",
    "null\x00",
    "\x85",
    "\u2028",
    5,
    ["x"],
]
"""What is no line of text, or too long for a message and a remark alike."""

decode_downstream = msgspec.json.Decoder(DownstreamRecord).decode


@dataclass(kw_only=True)
class Person:
    """Somebody who is logged in."""

    rest: Rest
    user: Any
    login: Login

    @property
    def user_id(self) -> str:
        """Return the id, as clients see it."""
        return str(self.user["user_id"])

    def send(self, method: str, url: str, body: object = None, *, key: str | None = None) -> HttpAnswer:
        """Send a request with the bearer token."""
        headers = {"Idempotency-Key": key} if key else {}
        return self.rest.api.send(method, url, token=self.login.token, body=body, headers=headers)

    def ask(self, peer: "Person", message: str | None = None, *, key: str | None = None) -> HttpAnswer:
        """Ask somebody to be a friend."""
        body = {"user_id": peer.user_id} | ({} if message is None else {"message": message})
        return self.send("POST", "/friends/requests", body, key=key)

    def answer(self, request_id: object, verb: str) -> HttpAnswer:
        """Accept or reject a request."""
        return self.send("POST", f"/friends/requests/{request_id}/{verb}")

    def befriend(self, peer: "Person") -> None:
        """Become friends with somebody."""
        request_id = self.ask(peer).json["request"]["request_id"]
        assert peer.answer(request_id, "accept").status == 200

    def block(self, peer: "Person") -> HttpAnswer:
        """Block somebody."""
        return self.send("PUT", f"/blocks/{peer.user_id}")

    def unblock(self, peer: "Person") -> HttpAnswer:
        """Take back a block."""
        return self.send("DELETE", f"/blocks/{peer.user_id}")

    def requests(self) -> list[Any]:
        """Return the first page of requests."""
        return list(self.send("GET", "/friends/requests").json["requests"])

    def friends(self) -> list[Any]:
        """Return the first page of friends."""
        return list(self.send("GET", "/friends").json["friends"])

    def friend_names(self) -> list[str]:
        """Return the usernames of the first page of friends."""
        return [one["user"]["username"] for one in self.friends()]

    def chats(self) -> list[str]:
        """Return the ids of the first page of conversations."""
        return [one["conversation_id"] for one in self.send("GET", "/conversations").json["conversations"]]

    def chat_with(self, peer: "Person") -> str:
        """Return the id of the single chat with somebody, whether there is one or not."""
        return single_conversation_id(UserId(int(self.user_id)), UserId(int(peer.user_id)))

    def open(self, peer: "Person") -> HttpAnswer:
        """Open the single chat with somebody."""
        return self.send("POST", "/conversations/create", {"type": "single", "member_ids": [peer.user_id]})

    def say(self, peer: "Person", text: str, client_msg_id: str) -> HttpAnswer:
        """Send a text to somebody's single chat."""
        body = {"client_msg_id": client_msg_id, "type": "text", "content": {"text": text}}
        return self.send("POST", f"/conversations/{self.chat_with(peer)}/messages", body)

    def told(self) -> Iterator[tuple[str, Any]]:
        """Yield the events that were produced for this one's devices, with their data, in their order."""
        for record in self.rest.rpc.producer.records:
            if record.topic.startswith("im-downstream"):
                held = decode_downstream(record.value)
                if self.user_id in (str(held.user_id), *(str(one.user_id) for one in held.also)):
                    yield from ((item.event, msgspec.json.decode(item.data)) for item in held.items)


def outcome(answer: HttpAnswer) -> tuple[int, str]:
    """Return the status, and the code of a refusal."""
    return answer.status, "" if answer.status < 400 else answer.code


def log_in(rest: Rest, *names: str) -> list[Person]:
    """Register people and log them in."""
    people = []
    for name in names:
        user = rest.register(name)
        people.append(Person(rest=rest, user=user, login=rest.login(user)))
    return people
