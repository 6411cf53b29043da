"""Produces pushes again whose provider was away."""

from dataclasses import dataclass

from gochat_aws.kafka_producer import OutgoingRecord, RecordProducer
from gochat_contracts.records import PUSH_TOPIC
from gochat_core.clock import Clock
from gochat_core.sweeps import Counts, TimeLimit
from gochat_repo.mysql import Database
from gochat_repo.push_log import claim_deferred

PAGE = 500

AGAIN_MS = 120_000
"""When a push is produced again that is still deferred then: the producing may have died with us."""


@dataclass(frozen=True, kw_only=True)
class DeferredPushSweep:
    """Takes deferred pushes that are due back to their topic."""

    database: Database
    producer: RecordProducer
    clock: Clock

    def produce_due(self, limit: TimeLimit) -> Counts:
        """Produce page after page; one that comes twice is sent once. Raises Unavailable."""
        produced = 0
        while not limit.is_over():
            now_ms = self.clock.now_ms()
            due = self.database.transaction(
                lambda tx, now_ms=now_ms: claim_deferred(  # type: ignore[misc]
                    tx, now_ms=now_ms, again_at_ms=now_ms + AGAIN_MS, limit=PAGE
                )
            )
            if due:
                self.producer.produce(
                    [
                        OutgoingRecord(topic=PUSH_TOPIC, key=str(user_id).encode(), value=record.encode())
                        for user_id, record in due
                    ]
                )
            produced += len(due)
            if len(due) < PAGE:
                break
        return {"PushesProducedAgain": produced}
