"""What the smoke test does: two fresh users talk to each other over every door, and leave nothing behind."""

import secrets
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

from dev_cli.failure import Failure
from dev_cli.smoke.door import Door
from dev_cli.smoke.wire import Wire

MESSAGES_EACH = 3


@dataclass(frozen=True, kw_only=True)
class Timing:
    """How long one step took, and whether it went well."""

    step: str
    seconds: float
    ok: bool


@dataclass(kw_only=True)
class Guest:
    """A user who exists for the length of one walk."""

    name: str
    door: Door
    password: str = field(default_factory=lambda: secrets.token_urlsafe(24), repr=False)
    user_id: str = ""
    websocket_url: str = ""
    wire: Wire | None = None

    @property
    def socket(self) -> Wire:
        """The open WebSocket."""
        assert self.wire is not None
        return self.wire


class Walk:
    """One smoke test; `timings` tells of each step that was begun."""

    def __init__(self, make_door: Callable[[], Door], *, patience_s: float, tell: Callable[[Timing], None]) -> None:
        suffix = secrets.token_hex(5)
        self.guests = tuple(Guest(name=f"smoke-{name}-{suffix}", door=make_door()) for name in ("ada", "ben"))
        self.timings: list[Timing] = []
        self._patience_s = patience_s
        self._tell = tell
        self._conversation = ""
        self._last_seq = 0

    def take(self) -> None:
        """Take every step; whatever happens, the users are deleted and the connections closed. Raises Failure."""
        try:
            self._talk()
        finally:
            self._leave()

    def _talk(self) -> None:
        ada, ben = self.guests
        with self._step("the REST door answers"):
            ada.door.call("GET", "/health")
        with self._step("two users register"):
            for guest in self.guests:
                self._register(guest)
        with self._step("they log in"):
            for guest in self.guests:
                _log_in(guest)
        with self._step("they connect"):
            for guest in self.guests:
                guest.wire = Wire(guest.websocket_url, guest.door.token, patience_s=self._patience_s)
                guest.wire.request("hello", {})
        with self._step("a heartbeat is answered"):
            ada.socket.ping()
        for number in range(MESSAGES_EACH):
            self._send(ada, ben, f"ada writes to ben ({number + 1})")
            self._send(ben, ada, f"ben writes to ada ({number + 1})")
        self._receipts(ada, ben)
        self._look_back(ada, ben)

    def _register(self, guest: Guest) -> None:
        made = guest.door.call("POST", "/auth/register", {"username": guest.name, "password": guest.password})
        guest.user_id = str(made["user"]["user_id"])

    def _send(self, sender: Guest, recipient: Guest, step: str) -> None:
        """Send over the WebSocket; done when the sender knows the number and the recipient has the message."""
        with self._step(step):
            text, client_msg_id = secrets.token_hex(8), secrets.token_hex(8)
            data = {"to": recipient.user_id, "client_msg_id": client_msg_id, "type": "text", "content": {"text": text}}
            sender.socket.request("message.send", data)
            stored = sender.socket.wait("message.stored", lambda data: data.get("client_msg_id") == client_msg_id)
            came = recipient.socket.wait("message.new", lambda data: any(map(_holds(text), data["messages"])))
            arrived = next(filter(_holds(text), came["messages"]))
            self._last_seq += 1
            _expect("the numbers of the messages", [stored["seq"], arrived["seq"]], [self._last_seq] * 2)
            self._conversation = str(stored["conversation_id"])

    def _receipts(self, ada: Guest, ben: Guest) -> None:
        with self._step("ben reads, ada sees it"):
            ben.socket.request("message.read", {"conversation_id": self._conversation, "seq": self._last_seq})
            ada.socket.wait(
                "receipt", lambda data: data.get("user_id") == ben.user_id and data.get("read_seq") == self._last_seq
            )

    def _look_back(self, ada: Guest, ben: Guest) -> None:
        numbers = list(range(1, self._last_seq + 1))
        with self._step("both have the same history"):
            for guest in self.guests:
                page = guest.door.call("GET", f"/conversations/{self._conversation}/messages", after_seq=0, limit=50)
                _expect(f"the history of {guest.name}", [message["seq"] for message in page["messages"]], numbers)
        with self._step("a device that was away catches up"):
            answer = ada.door.call("POST", "/sync", {})
            known = {one["conversation"]["conversation_id"]: one["messages"] for one in answer["conversations"]}
            got = [message["seq"] for message in known.get(self._conversation, [])]
            _expect("what the sync brings", got, numbers)
        with self._step("a message sent over REST arrives too"):
            text = secrets.token_hex(8)
            body = {"client_msg_id": secrets.token_hex(8), "type": "text", "content": {"text": text}}
            ben.door.call("POST", f"/conversations/{self._conversation}/messages", body)
            ada.socket.wait("message.new", lambda data: any(map(_holds(text), data["messages"])))

    def _leave(self) -> None:
        """Close what is open and delete the users that were made; a second failure does not hide the first."""
        if not any(guest.user_id for guest in self.guests):
            for guest in self.guests:
                guest.door.close()
            return
        with self._step("they delete themselves"):
            failures = [failure for guest in self.guests if (failure := _delete(guest))]
            if failures:
                raise failures[0]

    @contextmanager
    def _step(self, name: str) -> Iterator[None]:
        began = time.perf_counter()
        ok = False
        try:
            yield
            ok = True
        except KeyError as error:
            raise Failure(f"{name}: the answer lacks {error}.", advice="Does another GoChat serve there?") from error
        finally:
            timing = Timing(step=name, seconds=time.perf_counter() - began, ok=ok)
            self.timings.append(timing)
            self._tell(timing)


def _log_in(guest: Guest) -> None:
    body = {"username": guest.name, "password": guest.password, "device_id": "smoke", "platform": "desktop"}
    login = guest.door.call("POST", "/auth/login", body)
    guest.door.token = str(login["access_token"])
    guest.websocket_url = str(login["websocket_url"])


def _delete(guest: Guest) -> Failure | None:
    try:
        if guest.wire is not None:
            guest.wire.close()
        if guest.user_id:
            if not guest.door.token:
                _log_in(guest)
            guest.door.call("DELETE", "/users/me")
    except Failure as failure:
        return Failure(
            f"{guest.name} could not be deleted: {failure.message}",
            advice="The account holds nothing but this test's messages.",
        )
    finally:
        guest.door.close()
    return None


def _holds(text: str) -> Callable[[dict[str, Any]], bool]:
    return lambda message: bool(message.get("content", {}).get("text") == text)


def _expect(what: str, found: object, wanted: object) -> None:
    if found != wanted:
        raise Failure(f"{what} should be {wanted} and is {found}.")
