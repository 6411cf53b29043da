"""Where a test strikes: before or after any piece of input or output of a function at work."""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Literal

from gochat_core.errors import Unavailable
from gochat_repo.cache_nodes import CacheUnavailable

Store = Literal["database", "cache", "broker", "posts", "events"]


class Died(BaseException):
    """The container is gone, in the middle of whatever it did; no code of a function may catch this."""


@dataclass
class Strikes:
    """Counts the input and output of one invocation, and does what was ordered when it comes to a place.

    A piece has two places: before it, and after it took effect. `away` are stores that nobody reaches at present.
    """

    away: set[Store] = field(default_factory=set)
    orders: dict[int, Callable[[Store], None]] = field(default_factory=dict)
    count: int = 0
    commits: int = 0

    def begin(self) -> None:
        """Start counting anew, for the next invocation."""
        self.count = 0
        self.commits = 0

    def pass_by(self, store: Store) -> None:
        """Come to the next place."""
        self.count += 1
        if store in self.away:
            refuse(store)
        order = self.orders.pop(self.count, None)
        if order is not None:
            order(store)


def die(store: Store) -> None:
    """End the container here."""
    raise Died(store)


def refuse(store: Store) -> None:
    """Have the store be away, just here: what was asked of it may have happened."""
    if store == "cache":
        raise CacheUnavailable
    if store in ("database", "broker"):
        raise Unavailable(retry_after_ms=1_000)
