"""Audits the outbox: what is stored and stands unannounced for longer than the sweeps need to see to it."""

from dataclasses import dataclass

from aws_lambda_powertools import Logger

from gochat_core.clock import Clock
from gochat_core.metrics import Metrics
from gochat_core.sweeps import Counts, TimeLimit
from gochat_repo.mysql import Database
from gochat_repo.outbox import OVERDUE_MS, list_outstanding

LATE_MS = OVERDUE_MS + 2 * 60_000
"""Overdue rows are the next sweep's, a minute later at most; who is not announced by the one behind it has a fault."""

OLDEST = 500
TOLD_AT_ONCE = 20
"""Rows that are looked at, and late ones that are named in the log; the rest is counted."""


@dataclass(frozen=True, kw_only=True)
class AnnouncementAudit:
    """Looks for announcements that nobody gets done, on the writer: there is one row to a change under way."""

    database: Database
    clock: Clock
    logger: Logger
    metrics: Metrics

    def run(self, limit: TimeLimit) -> Counts:  # noqa: ARG002 - one statement
        """Count those that are late and name the oldest of them. Raises Unavailable."""
        now_ms = self.clock.now_ms()
        rows = self.database.read(lambda tx: list_outstanding(tx, limit=OLDEST))
        ages_ms = {(one.conversation_id, one.kind, one.number): now_ms - one.noted_at_ms for one in rows}
        late = sorted(((age_ms, key) for key, age_ms in ages_ms.items() if age_ms > LATE_MS), reverse=True)
        for age_ms, (conversation_id, kind, number) in late[:TOLD_AT_ONCE]:
            told = {"conversation_id": conversation_id, "kind": kind, "number": number, "age_ms": age_ms}
            self.logger.error("audit finding", extra={"fault": "unannounced", **told})
        self.metrics.emit({"OutboxOldestAge": ("Milliseconds", max(0, *ages_ms.values(), 0))})
        return {"AuditFindings": len(late)}
