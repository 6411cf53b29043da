"""Puts the messages of one conversation into the order of `seq`, whatever order they come in."""

from collections.abc import Iterable
from dataclasses import dataclass


@dataclass(frozen=True, kw_only=True)
class ChatMessage:
    """One message as the client shows it; `latency_ms` is known for what this client sent itself."""

    seq: int
    sender_id: str
    text: str
    created_at: str
    latency_ms: float | None = None


class Timeline:
    """Hold back what came too early, drop what came twice, and tell which gap to fetch.

    `seq` is gap-free from 1 within a conversation, so a hole is always a message on its way or missed.
    """

    def __init__(self) -> None:
        self._last_shown: int | None = None
        self._early: dict[int, ChatMessage] = {}

    @property
    def last_shown(self) -> int:
        """The `seq` up to which everything was shown; 0 before the first."""
        return self._last_shown or 0

    @property
    def begun(self) -> bool:
        """Whether it is known where the shown history begins."""
        return self._last_shown is not None

    def begin_after(self, seq: int) -> list[ChatMessage]:
        """Take everything up to `seq` as shown (the history begins later); give what waited for that."""
        if self._last_shown is None or seq > self._last_shown:
            self._last_shown = seq
        return self._release()

    def add(self, messages: Iterable[ChatMessage]) -> list[ChatMessage]:
        """Take messages in any order, also repeated ones; give those that are now to be shown, in order."""
        for message in messages:
            if message.seq > self.last_shown:
                # The first copy stays: it may know the latency, which a repeated one does not.
                self._early.setdefault(message.seq, message)
        return self._release()

    def gap_after(self) -> int | None:
        """Give the `after_seq` to fetch from where a message waits behind a hole; None where there is no hole."""
        return self.last_shown if self._early else None

    def _release(self) -> list[ChatMessage]:
        if self._last_shown is None:
            return []
        ready: list[ChatMessage] = []
        for seq in [seq for seq in self._early if seq <= self._last_shown]:
            del self._early[seq]
        while message := self._early.pop(self._last_shown + 1, None):
            self._last_shown = message.seq
            ready.append(message)
        return ready
