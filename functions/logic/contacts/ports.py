"""What the use cases of contacts stand on."""

import contextlib
from collections.abc import Sequence
from dataclasses import dataclass

from gochat_core.clock import Clock
from gochat_core.errors import Unavailable
from gochat_core.ids import IdMaker
from gochat_core.types import UserId
from gochat_repo.cache import CacheUnavailable
from gochat_repo.mysql import Database
from gochat_repo.outbox import OutboxEntry
from gochat_repo.presence import Presence
from logic.announce.announcer import Announcer


@dataclass(frozen=True, kw_only=True)
class ContactPorts:
    """Stores, clock, ids, and whoever tells people what happened."""

    database: Database
    announcer: Announcer
    clock: Clock
    ids: IdMaker
    presence: Presence

    def tell(self, noted: Sequence[OutboxEntry]) -> None:
        """Announce what was committed. What can't be told now is told from the outbox later: it did happen."""
        with contextlib.suppress(Unavailable):
            self.announcer.announce_noted(noted)

    def hide_presence(self, one: UserId, other: UserId) -> None:
        """Tell neither of two of the other's presence any more; what Redis can't forget ends with its connection."""
        with contextlib.suppress(CacheUnavailable):
            self.presence.end_subscriptions(one, other)
