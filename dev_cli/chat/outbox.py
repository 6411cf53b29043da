"""Holds what the user typed until the server has stored it, and says what to send when."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from enum import Enum, auto

# A stored message answers within a second or so; one that was accepted is safe, so asking again is not urgent.
RESEND_AFTER_S = 10.0


class State(Enum):
    """How far a message of ours has come."""

    QUEUED = auto()
    SENT = auto()
    ACCEPTED = auto()


@dataclass(frozen=True, kw_only=True)
class Draft:
    """One message on its way; its `client_msg_id` never changes, which is what makes sending it again safe."""

    client_msg_id: str
    text: str
    composed_at_s: float
    state: State = State.QUEUED
    changed_at_s: float = 0.0


class Outbox:
    """Decide which message of one conversation goes out next: one unacknowledged at a time, in the order typed.

    Times are seconds of one monotonic clock, handed in by the caller.
    """

    def __init__(self, new_id: Callable[[], str]) -> None:
        self._new_id = new_id
        self._drafts: list[Draft] = []

    @property
    def unstored(self) -> tuple[Draft, ...]:
        """What the server has not yet said to have stored, oldest first."""
        return tuple(self._drafts)

    def compose(self, text: str, now_s: float) -> Draft:
        """Take a text that the user typed."""
        draft = Draft(client_msg_id=self._new_id(), text=text, composed_at_s=now_s, changed_at_s=now_s)
        self._drafts.append(draft)
        return draft

    def take_next(self, now_s: float) -> Draft | None:
        """Give the message to send now, and count it as sent; None while another one is unacknowledged."""
        if any(draft.state is State.SENT for draft in self._drafts):
            return None
        for draft in self._drafts:
            if draft.state is State.QUEUED:
                return self._change(draft, State.SENT, now_s)
        return None

    def on_ack(self, client_msg_id: str, now_s: float) -> None:
        """Note that the broker holds the message durably."""
        draft = self._find(client_msg_id)
        if draft is not None and draft.state is State.SENT:
            self._change(draft, State.ACCEPTED, now_s)

    def on_settled(self, client_msg_id: str) -> Draft | None:
        """Note that the message was stored or refused for good; give it, or None if that was known already."""
        draft = self._find(client_msg_id)
        if draft is not None:
            self._drafts.remove(draft)
        return draft

    def on_retryable_error(self, client_msg_id: str, now_s: float) -> None:
        """Put a message that the server could not take at the moment back into the queue."""
        draft = self._find(client_msg_id)
        if draft is not None:
            self._change(draft, State.QUEUED, now_s)

    def on_disconnect(self, now_s: float) -> None:
        """Queue everything unstored again: whether it arrived cannot be known, and a resend is harmless."""
        for draft in self.unstored:
            self._change(draft, State.QUEUED, now_s)

    def requeue_overdue(self, now_s: float) -> None:
        """Queue again what got no answer for too long: an ack or a `message.stored` may have been lost."""
        for draft in self.unstored:
            if draft.state is not State.QUEUED and now_s - draft.changed_at_s >= RESEND_AFTER_S:
                self._change(draft, State.QUEUED, now_s)

    def _find(self, client_msg_id: str) -> Draft | None:
        return next((draft for draft in self._drafts if draft.client_msg_id == client_msg_id), None)

    def _change(self, draft: Draft, state: State, now_s: float) -> Draft:
        changed = replace(draft, state=state, changed_at_s=now_s)
        self._drafts[self._drafts.index(draft)] = changed
        return changed
