"""Tells subscribers that somebody went offline, when who came back in time would be back."""

import time
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from gochat_aws.kafka_producer import OutgoingRecord, RecordProducer
from gochat_contracts.presence import UserPresence, Watchers, plan_presence
from gochat_contracts.records import downstream_topic, encode
from gochat_core.clock import Clock
from gochat_core.sweeps import Counts, TimeLimit
from gochat_core.types import UserId
from gochat_repo.connections import Connections
from gochat_repo.departures import Claim, Departures
from gochat_repo.presence import Presence

PAGE = 480
"""Users that are dealt with at once: one statement, and a few pipelines over all of them."""

LOOK_AHEAD_MS = 10_000
"""Departures that come due so soon are waited for: their users would else hear a whole minute later, and the platform's
minutes are not exact (EventBridge Scheduler user guide, "Schedule types": a precision of 60 seconds)."""


@dataclass(frozen=True, kw_only=True)
class DepartureSweep:
    """Announces departures that are at least `offline_after_ms` old."""

    departures: Departures
    presence: Presence
    connections: Connections
    producer: RecordProducer
    clock: Clock
    offline_after_ms: int
    pause: Callable[[float], None] = time.sleep

    def announce_due(self, limit: TimeLimit) -> Counts:
        """Deal with what is due now. Raises Unavailable: what was claimed then comes again a minute later."""
        done: Counter[str] = Counter(WentOffline=0, CameBack=0)
        while not limit.is_over():
            claim = self.departures.claim(gone_before_ms=self.clock.now_ms() - self.offline_after_ms, limit=PAGE)
            if not claim.users:
                break
            done.update(self._deal_with(claim))
        return done

    def announce_soon_due(self, limit: TimeLimit) -> Counts:
        """Wait for what comes due within LOOK_AHEAD_MS, if anything does, and deal with that."""
        due_ms = self.clock.now_ms() - self.offline_after_ms
        last_ms = self.departures.find_last(after_ms=due_ms, until_ms=due_ms + LOOK_AHEAD_MS)
        if last_ms is None:
            return {}
        self.pause((last_ms + self.offline_after_ms - self.clock.now_ms()) / 1000)
        return self.announce_due(limit)

    def _deal_with(self, claim: Claim) -> Counter[str]:
        """Tell what became of these users, and forget their marks.

        Somebody may come back at any moment. Whoever is registered before the second look is found by it; whoever
        registers later finds in Redis that "offline" was told, and tells the contrary. So the last word is true.
        """
        users = claim.users
        now_ms = self.clock.now_ms()
        states = self.presence.load(users, now_ms=now_ms)
        told = self.presence.list_told(users)
        away = [user for user in users if user in states and not states[user].online]
        back = [user for user in users if user in states and states[user].online and user not in told]
        self._tell([states[user] for user in (*away, *back)])
        self.presence.note_online(back)
        self.presence.note_offline(away)
        late = [state for state in self.presence.load(away, now_ms=self.clock.now_ms()).values() if state.online]
        self._tell(late)
        self.presence.note_online([state.user_id for state in late])
        self.departures.release(claim, users)
        return Counter(WentOffline=len(away), CameBack=len(back) + len(late))

    def _tell(self, states: Sequence[UserPresence]) -> None:
        if not states:
            return
        now_ms = self.clock.now_ms()
        watchers = self.presence.list_watchers([state.user_id for state in states], now_ms=now_ms)
        news = [(state, watchers[state.user_id]) for state in states if watchers[state.user_id]]
        if not news:
            return
        connections = self.connections.find(_subscribers(news))
        records = [
            OutgoingRecord(topic=downstream_topic(cell_id), key=str(one.user_id).encode(), value=encode(one))
            for cell_id, one in plan_presence(news, connections, now_ms=now_ms)
        ]
        self.producer.produce(records)


def _subscribers(news: Sequence[tuple[UserPresence, Watchers]]) -> set[UserId]:
    return {subscriber for _, watchers in news for subscriber in watchers}
