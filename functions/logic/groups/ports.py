"""What the use cases of groups stand on, and how they tell what they did."""

import contextlib
from collections.abc import Sequence
from dataclasses import dataclass

from gochat_core.clock import Clock
from gochat_core.errors import Unavailable
from gochat_core.ids import IdMaker
from gochat_repo.mysql import Database
from gochat_repo.outbox import OutboxEntry
from logic.announce.announcer import Announcer


@dataclass(frozen=True, kw_only=True, slots=True)
class GroupPorts:
    """Stores, clock, ids, who announces, and what this deployment allows."""

    database: Database
    announcer: Announcer
    clock: Clock
    ids: IdMaker
    max_members: int
    large_members: int
    """From so many members on a group is large, and stays so: its members are told by the worker, in pages."""
    contacts_only: bool = False
    """Whether one may bring friends alone into a group."""

    def announce(self, noted: Sequence[OutboxEntry]) -> None:
        """Announce what has been committed; when that can't be done now, it is done later: the outbox holds it."""
        with contextlib.suppress(Unavailable):
            self.announcer.announce_noted(noted)
