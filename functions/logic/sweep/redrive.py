"""Re-drives overdue outbox rows where no later writer comes by to do it."""

from dataclasses import dataclass

from gochat_core.clock import Clock
from gochat_core.sweeps import Counts, TimeLimit
from gochat_repo.mysql import Database, Transaction
from gochat_repo.outbox import OutboxEntry, claim_overdue
from logic.announce.announcer import Announcer


@dataclass(frozen=True, kw_only=True)
class OutboxSweep:
    """Announces what was committed and never announced."""

    database: Database
    announcer: Announcer
    clock: Clock

    def redrive_overdue(self, limit: TimeLimit) -> Counts:
        """Claim overdue rows and announce them until there are none; clients bear what comes twice.

        Raises Unavailable: rows that were claimed are overdue again 30 s later.
        """
        redriven = 0
        while not limit.is_over():
            claimed = self.database.transaction(self._claim)
            if not claimed:
                break
            self.announcer.announce_noted(claimed)
            redriven += len(claimed)
        return {"OutboxRedriven": redriven}

    def _claim(self, tx: Transaction) -> list[OutboxEntry]:
        return claim_overdue(tx, now_ms=self.clock.now_ms())
