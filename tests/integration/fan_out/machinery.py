"""The part of a deployment that tells large groups, in this process: `worker`, `deliver`, their topics, posts."""

import itertools
import json
from collections.abc import Callable, Mapping
from typing import Any

import redis

from gochat_aws.kafka_producer import OutgoingRecord
from gochat_contracts.records import (
    PUSH_TOPIC,
    TASK_TOPIC,
    FanOutEvent,
    FanOutTask,
    OfflineTask,
    PushRecord,
    Task,
    TaskRecord,
    bulk_downstream_topic,
    decode,
    downstream_topic,
    encode,
)
from gochat_core.types import CellId, ConversationId, DeviceId, UserId
from gochat_repo.mysql import database_from
from tests.fakes.clock import SettableClock
from tests.fakes.connections import InMemoryConnections
from tests.fixtures.large_groups import LargeGroup, fan_out_record, insert_group, store_message
from tests.model.containers import Fleet
from tests.model.partitioned_log import Batch, PartitionedLog
from tests.model.partitioned_log import Mapping as TopicMapping
from tests.model.strikes import Died, die

G1 = CellId("g1")
_IDS = itertools.count(1)


class Machinery:
    """Everything from the task topic to the posts, one invocation at a time."""

    def __init__(self, environ: Mapping[str, str], *, has_cache: bool) -> None:
        self._has_cache = has_cache
        self.clock = SettableClock()
        self.database = database_from(environ)
        self.log = PartitionedLog(self.clock.now_ms)
        self.posts = InMemoryConnections()
        self.posts.now_s = lambda: self.clock.now_ms() / 1000
        self.fleet = Fleet(clock=self.clock, log=self.log, posts=self.posts, secret="")
        self.mappings = {
            "worker": TopicMapping(log=self.log, topic=TASK_TOPIC),
            "bulk": TopicMapping(log=self.log, topic=bulk_downstream_topic(G1)),
            "deliver": TopicMapping(log=self.log, topic=downstream_topic(G1)),
        }
        self.deaths = 0
        self._redis = redis.Redis(host=environ["GOCHAT_REDIS_HOST"], port=int(environ["GOCHAT_REDIS_PORT"]))

    def add_group(self, size: int, *, online_every: int = 5) -> LargeGroup:
        """Make a group of people whom no other group has."""
        number = next(_IDS)
        members = [UserId(number * 1_000_000 + member) for member in range(1, size + 1)]
        group_id = ConversationId(f"{number:032x}")
        return insert_group(self.database, group_id, members, online_every=online_every, at_ms=self.clock.now_ms())

    def say(self, group: LargeGroup, *seqs: int, members_version: int = 1, origin: DeviceId | None = None) -> None:
        """Store messages of the group's first member and write the task that tells of them."""
        now_ms = self.clock.now_ms()
        for seq in seqs:
            store_message(self.database, group, seq, at_ms=now_ms)
        self.log.produce([fan_out_record(group, seqs, at_ms=now_ms, members_version=members_version, origin=origin)])

    def tell(self, group: LargeGroup, *events: FanOutEvent) -> None:
        """Write a task that tells of events."""
        fan_out = FanOutTask(conversation_id=group.conversation_id, members_version=1, events=events)
        record = TaskRecord(task_id=f"{group.conversation_id}:events", created_at_ms=self.clock.now_ms(), task=fan_out)
        self.log.produce([OutgoingRecord(topic=TASK_TOPIC, key=group.conversation_id.encode(), value=encode(record))])

    def step(self, mapping: str, *, size: int = 1, orders: Mapping[int, Callable[[Any], None]] | None = None) -> bool:
        """Bring the next batch of any partition to its function; False when there is none."""
        batch = self._take(mapping, size)
        if batch is None:
            return False
        self._settle(mapping, batch, self._invoke(mapping, batch, orders))
        return True

    def run(self, *, size: int = 10) -> None:
        """Bring everything everywhere, until nothing is left."""
        while any(self.step(mapping, size=size) for mapping in self.mappings):
            pass

    def run_dying_at_every_step(self, mapping: str) -> None:
        """Bring each batch again and again, to a function that dies one step later each time, until one lives."""
        while (batch := self._take(mapping, 1)) is not None:
            for place in itertools.count(1):
                try:
                    answer = self._invoke(mapping, batch, {place: die})
                except Died:
                    self.deaths += 1
                else:
                    self._settle(mapping, batch, answer)
                    break

    def frames(self, group: LargeGroup) -> dict[UserId, list[list[int]]]:
        """Return what each connected member got: the seqs of each frame."""
        found: dict[UserId, list[list[int]]] = {}
        for user_id in group.members:
            posted = self.posts.posted.get(group.connection_of(user_id), [])
            if posted:
                found[user_id] = [[one["seq"] for one in json.loads(body)["data"]["messages"]] for body in posted]
        return found

    def tasks(self) -> list[Task]:
        """Return all tasks that were written."""
        return [decode(TaskRecord, record.value).task for record in self.log.of_topic(TASK_TOPIC)]

    def offline_tasks(self) -> list[OfflineTask]:
        """Return the tasks for members who are away."""
        return [task for task in self.tasks() if isinstance(task, OfflineTask)]

    def pushed(self) -> list[UserId]:
        """Return whose devices are to be pushed to, once a push."""
        return [decode(PushRecord, record.value).user_id for record in self.log.of_topic(PUSH_TOPIC)]

    def change(self, statement: str, *params: object) -> None:
        """Change something in the database."""
        self.database.transaction(lambda tx: tx.execute(statement, params))

    def flush_cache(self) -> None:
        """Empty the cache, if there is one in this run."""
        if self._has_cache:
            self._redis.flushall()

    def close(self) -> None:
        """Close the connections."""
        self.database.close()
        self._redis.close()

    def _take(self, mapping: str, size: int) -> Batch | None:
        topic = self.mappings[mapping]
        return next((batch for one in (0, 1) if (batch := topic.take((one,), size)) is not None), None)

    def _invoke(self, mapping: str, batch: Batch, orders: Mapping[int, Callable[[Any], None]] | None) -> Any:
        function = "worker" if mapping == "worker" else "deliver"
        return self.fleet.invoke(function, batch.event, orders=orders)

    def _settle(self, mapping: str, batch: Batch, answer: Any) -> None:
        self.mappings[mapping].settle(batch, answer, only_failed=True)
