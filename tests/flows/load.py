"""Pairs of people who keep talking while a test breaks something, and the account of what became of each message."""

import threading
import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

from websockets.exceptions import ConnectionClosed, InvalidHandshake

from tests.flows.stock_client import Frame, Person, Socket, eventually, text_message

PATIENCE_S = 4.0
"""How long a sender waits for an answer before it sends the same message again, under the same id."""


@dataclass
class Talk:
    """One sender and one receiver, both connected; the sender has one unacknowledged message at a time."""

    sender: Person
    receiver: Person
    accepted: list[str] = field(default_factory=list)
    tried_again: int = 0
    _sender_socket: Socket | None = None
    _receiver_socket: Socket | None = None
    _earlier_receiver_sockets: list[Socket] = field(default_factory=list)

    def run(self, stop: threading.Event) -> None:
        """Send until told to stop; what is not acknowledged is sent again, under the same id, until it is."""
        while not stop.is_set():
            self._send_until_accepted(uuid.uuid4().hex)
            stop.wait(0.02)

    def _send_until_accepted(self, client_msg_id: str) -> None:
        data = text_message(f"load {client_msg_id}", client_msg_id=client_msg_id, to=self.receiver.user_id)
        while True:
            try:
                frame_id = self._sending().send("message.send", data)
                answer = self._answer(self._sending(), frame_id)
            except (OSError, ConnectionClosed, InvalidHandshake):
                answer = None
            if answer is not None and answer.get("event") == "ack":
                self.accepted.append(client_msg_id)
                return
            self.tried_again += 1
            threading.Event().wait(0.2)

    @staticmethod
    def _answer(socket: Socket, frame_id: str) -> Frame | None:
        try:
            return socket.wait(lambda frame: frame.get("id") == frame_id, within_s=PATIENCE_S)
        except AssertionError:
            return None

    def _sending(self) -> Socket:
        if self._sender_socket is None or self._sender_socket.closed:
            self._sender_socket = self.sender.connect()
        return self._sender_socket

    def listen(self) -> Socket:
        """Connect the receiver, again if need be, and return the open socket."""
        if self._receiver_socket is None or self._receiver_socket.closed:
            if self._receiver_socket is not None:
                self._earlier_receiver_sockets.append(self._receiver_socket)
            self._receiver_socket = self.receiver.connect()
        return self._receiver_socket

    def check_nothing_lost_or_doubled(self) -> str:
        """Hold the promises 1 to 3 against what is stored; returns the conversation's id."""
        eventually(lambda: bool(self._conversation_ids()), "their conversation has begun", within_s=90)
        (conversation_id,) = self._conversation_ids()

        def stored() -> list[str]:
            return [message["client_msg_id"] for message in self.receiver.history(conversation_id)]

        eventually(lambda: set(self.accepted) <= set(stored()), "every accepted message is stored", within_s=90)
        assert len(stored()) == len(set(stored())), "a message was stored twice"
        history = self.receiver.history(conversation_id)
        assert [message["seq"] for message in history] == list(range(1, len(history) + 1))
        # One at a time: the order in which they were accepted is the order in which they were numbered.
        numbered = [client_msg_id for client_msg_id in stored() if client_msg_id in set(self.accepted)]
        assert numbered == self.accepted
        return conversation_id

    def _conversation_ids(self) -> set[str]:
        listed = self.sender.rest.get("/conversations").json()["conversations"]
        return {item["conversation_id"] for item in listed if item["peer"]["user_id"] == self.receiver.user_id}

    def heard(self, conversation_id: str) -> set[int]:
        """Return the seqs that the receiver's sockets got live."""
        sockets = [*self._earlier_receiver_sockets, *([self._receiver_socket] if self._receiver_socket else [])]
        return {message["seq"] for socket in sockets for message in socket.messages(conversation_id)}

    def close(self) -> None:
        """Close both sides."""
        for socket in (self._sender_socket, self._receiver_socket):
            if socket is not None:
                socket.close()


@contextmanager
def talking(somebody: Callable[[str], Person], *, pairs: int) -> Iterator[list[Talk]]:
    """Let pairs talk while the block runs; when it ends they stop, each with its last message accepted."""
    talks = [Talk(sender=somebody(f"ann{number}"), receiver=somebody(f"ben{number}")) for number in range(pairs)]
    for talk in talks:
        talk.listen()
    stop = threading.Event()
    threads = [threading.Thread(target=talk.run, args=(stop,), daemon=True) for talk in talks]
    for thread in threads:
        thread.start()
    try:
        eventually(lambda: all(len(talk.accepted) >= 3 for talk in talks), "every pair is talking")
        yield talks
    finally:
        stop.set()
        for thread in threads:
            thread.join(timeout=120)
    assert not any(thread.is_alive() for thread in threads), "a message was never accepted"


def more_accepted(talks: list[Talk], count: int) -> Callable[[], bool]:
    """Return a condition: from now on, every pair got `count` more messages accepted."""
    before = [len(talk.accepted) for talk in talks]
    return lambda: all(len(talk.accepted) >= had + count for talk, had in zip(talks, before, strict=True))
