"""What the use cases of conversations stand on, and how they tell what they did."""

import contextlib
from collections.abc import Sequence
from dataclasses import dataclass

from gochat_core.clock import Clock
from gochat_core.errors import Unavailable
from gochat_repo.mysql import Database
from gochat_repo.outbox import OutboxEntry
from logic.announce.announcer import Announcer


@dataclass(frozen=True, kw_only=True, slots=True)
class ConversationPorts:
    """The stores, the clock, and who announces."""

    database: Database
    announcer: Announcer
    clock: Clock
    contacts_only: bool = False
    """Whether friends alone may begin a chat."""

    def announce(self, noted: Sequence[OutboxEntry]) -> None:
        """Announce what has been committed; when that can't be done now, it is done later: the outbox holds it."""
        with contextlib.suppress(Unavailable):
            self.announcer.announce_noted(noted)
