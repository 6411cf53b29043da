"""Enforces the deployment's message retention, conversation by conversation, resuming where the last sweep stopped."""

from dataclasses import dataclass

from gochat_core.clock import Clock
from gochat_core.sweeps import Counts, TimeLimit
from gochat_core.types import ConversationId
from gochat_repo.retention import EMPTIED_AT_ONCE, Retention
from gochat_repo.sweep_positions import SweepPosition

LONGEST_ROUND_MS = 3_600_000
"""The next round through all conversations begins an hour after the last one did at the latest: a message may stand an
hour too long, which is little beside days."""


@dataclass(frozen=True, kw_only=True)
class RetentionSweep:
    """Empties messages older than `retention_ms`."""

    retention: Retention
    clock: Clock
    retention_ms: int

    def expire_messages(self, limit: TimeLimit) -> Counts:
        """Go on with the round, or begin the next one when it is time. Raises Unavailable."""
        now_ms = self.clock.now_ms()
        position = self.retention.get_position()
        if position is None:
            position = SweepPosition(position=b"", round_began_at_ms=now_ms)
        elif position.is_round_over:
            if now_ms - position.round_began_at_ms < min(LONGEST_ROUND_MS, self.retention_ms):
                return {"MessagesExpired": 0}
            position = SweepPosition(position=b"", round_began_at_ms=now_ms)
        expired = 0
        while not limit.is_over() and not position.is_round_over:
            created_before_ms = self.clock.now_ms() - self.retention_ms
            page = self.retention.find_due(after=position.position, created_before_ms=created_before_ms)
            for conversation_id in page.conversation_ids:
                expired += self._expire(conversation_id, created_before_ms, limit)
                if limit.is_over():
                    # The page is looked at again: what is done in it is found to be done.
                    return {"MessagesExpired": expired}
            position = position.advanced(page.next_position)
            self.retention.save_position(position)
        return {"MessagesExpired": expired}

    def _expire(self, conversation_id: ConversationId, created_before_ms: int, limit: TimeLimit) -> int:
        expired = 0
        while not limit.is_over():
            count = self.retention.expire(
                conversation_id, created_before_ms=created_before_ms, now_ms=self.clock.now_ms()
            )
            expired += count
            if count < EMPTIED_AT_ONCE:
                break
        return expired
