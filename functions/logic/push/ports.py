"""What the use cases of push stand on."""

from dataclasses import dataclass

from gochat_core.clock import Clock
from gochat_repo.mysql import Database


@dataclass(frozen=True, kw_only=True)
class PushPorts:
    """The database, which holds tokens and preferences, and the clock."""

    database: Database
    clock: Clock
