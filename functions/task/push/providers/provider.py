"""What a provider is given, and what it answers."""

from dataclasses import dataclass, field
from typing import Protocol

from gochat_contracts.records import PushRecord


@dataclass(frozen=True, kw_only=True, slots=True)
class Push:
    """One push as it is sent now: `token` is the device's own, `badge` the sum of all that is unread and not muted."""

    record: PushRecord
    provider: str
    token: str = field(repr=False)
    badge: int

    @property
    def collapse_id(self) -> str:
        """What a later push of the conversation replaces this one by; 32 characters (APNs takes 64 bytes)."""
        return self.record.conversation_id


@dataclass(frozen=True, kw_only=True, slots=True)
class Sent:
    """The provider has it."""


@dataclass(frozen=True, kw_only=True, slots=True)
class TokenDead:
    """The token leads nowhere any more: it is forgotten."""

    reason: str


@dataclass(frozen=True, kw_only=True, slots=True)
class Refused:
    """This push will never be taken; the fault is ours, and the token may be good."""

    reason: str


@dataclass(frozen=True, kw_only=True, slots=True)
class TryAgain:
    """Nothing was decided: away, too busy, or in no state to answer. `after_s`: what the provider asks to wait."""

    reason: str
    after_s: float = 0.0


Answer = Sent | TokenDead | Refused | TryAgain


class PushProvider(Protocol):
    """One way to devices; safe for several threads."""

    def send(self, push: Push, *, timeout_s: float) -> Answer:
        """Send one push and return what became of it; never raises for what the other side does."""
        ...

    def service(self, push: Push) -> str:
        """Name what a push goes through, where a provider has several of which one may be away alone; else ''."""
        ...
