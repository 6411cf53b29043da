"""Two guests talk to each other over every door, and compare what they have: the smoke test's and the canary's core."""

import secrets
from collections.abc import Callable, Mapping
from typing import Any

from gochat_client.faults import StepFailedError
from gochat_client.guest import Guest
from gochat_client.steps import Steps


class Talk:
    """One conversation of two who are connected; `numbers` are those of this talk's messages, in their order."""

    def __init__(self, steps: Steps, ada: Guest, ben: Guest) -> None:
        self.conversation = ""
        self.numbers: list[int] = []
        self._steps = steps
        self._ada = ada
        self._ben = ben

    def go(self, *, turns: int) -> None:
        """Take every step; each writes `turns` messages. Raises StepFailedError."""
        ada, ben = self._ada, self._ben
        with self._steps.step("a heartbeat is answered"):
            ada.socket.ping()
        for number in range(turns):
            self._send(ada, ben, f"ada writes to ben ({number + 1})")
            self._send(ben, ada, f"ben writes to ada ({number + 1})")
        self._read()
        self._look_back()
        self._catch_up()
        self._send_by_rest()

    def _send(self, sender: Guest, recipient: Guest, step: str) -> None:
        """Send over the WebSocket; done when the sender knows the number and the recipient has the message."""
        with self._steps.step(step):
            text, client_msg_id = secrets.token_hex(8), secrets.token_hex(8)
            data = {"to": recipient.user_id, "client_msg_id": client_msg_id, "type": "text", "content": {"text": text}}
            sender.socket.request("message.send", data)
            stored = sender.socket.wait("message.stored", lambda data: data.get("client_msg_id") == client_msg_id)
            came = recipient.socket.wait("message.new", lambda data: any(map(_holds(text), data["messages"])))
            arrived = next(filter(_holds(text), came["messages"]))
            _expect("the recipient's number of the message", arrived["seq"], stored["seq"])
            if self.numbers and stored["seq"] <= self.numbers[-1]:
                raise StepFailedError(f"a message got the number {stored['seq']} after {self.numbers[-1]}.")
            self.numbers.append(int(stored["seq"]))
            self.conversation = str(stored["conversation_id"])

    def _read(self) -> None:
        ada, ben, last = self._ada, self._ben, self.numbers[-1]
        with self._steps.step("ben reads, ada sees it"):
            ben.socket.request("message.read", {"conversation_id": self.conversation, "seq": last})
            ada.socket.wait(
                "receipt", lambda data: data.get("user_id") == ben.user_id and data.get("read_seq", 0) >= last
            )

    def _look_back(self) -> None:
        """Compare the histories: whatever else was said in between, no number may be missing."""
        first, last = self.numbers[0], self.numbers[-1]
        with self._steps.step("both have the same history"):
            for guest in (self._ada, self._ben):
                path = f"/conversations/{self.conversation}/messages"
                page = guest.door.call("GET", path, after_seq=first - 1, limit=50)
                found = [message["seq"] for message in page["messages"] if message["seq"] <= last]
                _expect(f"the history of {guest.called}", found, list(range(first, last + 1)))

    def _catch_up(self) -> None:
        with self._steps.step("a device that was away catches up"):
            answer = self._ada.door.call("POST", "/sync", {})
            known = {one["conversation"]["conversation_id"]: one["messages"] for one in answer["conversations"]}
            got = {message["seq"] for message in known.get(self.conversation, [])}
            _expect("what the sync lacks", sorted(set(self.numbers) - got), [])

    def _send_by_rest(self) -> None:
        with self._steps.step("a message sent over REST arrives too"):
            text = secrets.token_hex(8)
            body = {"client_msg_id": secrets.token_hex(8), "type": "text", "content": {"text": text}}
            self._ben.door.call("POST", f"/conversations/{self.conversation}/messages", body)
            self._ada.socket.wait("message.new", lambda data: any(map(_holds(text), data["messages"])))


def _holds(text: str) -> Callable[[Mapping[str, Any]], bool]:
    return lambda message: bool(message.get("content", {}).get("text") == text)


def _expect(what: str, found: object, wanted: object) -> None:
    if found != wanted:
        raise StepFailedError(f"{what} should be {wanted} and is {found}.")
