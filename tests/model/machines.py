"""The machines of one deployment in this process: functions, topics, the platform, and what each brings to which."""

import json
from collections.abc import Callable, Mapping
from typing import Any

import msgspec
import redis

from gochat_aws.kafka_producer import OutgoingRecord
from gochat_contracts.records import (
    TASK_TOPIC,
    UPSTREAM_TOPIC,
    OfflineTask,
    TaskRecord,
    bulk_downstream_topic,
    decode,
    downstream_topic,
)
from gochat_core.errors import Unavailable
from gochat_core.types import CellId
from gochat_repo.mysql import Database, database_from
from tests.fakes.clock import SettableClock
from tests.model.cell import Cell, Socket
from tests.model.containers import Fleet
from tests.model.ledger import Ledger
from tests.model.partitioned_log import Batch, PartitionedLog
from tests.model.partitioned_log import Mapping as TopicMapping
from tests.model.reference import Command
from tests.model.strikes import Died

Orders = Mapping[int, Any]
"""What happens at which place of an invocation's input and output."""

NOTHING: Orders = {}


class Machines:
    """Everything that moves by itself, one invocation at a time, and the model that follows it."""

    def __init__(self, environ: Mapping[str, str], secret: str) -> None:
        self.clock = SettableClock()
        self.faults = 0
        self.observer: Database = database_from(environ)
        self.log = PartitionedLog(self.clock.now_ms)
        self.cell = Cell(self.clock)
        self.fleet = Fleet(clock=self.clock, log=self.log, posts=self.cell, secret=secret)
        self.ledger = Ledger(self.observer, self.clock)
        cell_id = CellId(environ["GOCHAT_CELL_ID"])
        self.mappings = {
            "upstream": TopicMapping(log=self.log, topic=UPSTREAM_TOPIC),
            "deliver": TopicMapping(log=self.log, topic=downstream_topic(cell_id)),
            "worker": TopicMapping(log=self.log, topic=TASK_TOPIC),
            "bulk": TopicMapping(log=self.log, topic=bulk_downstream_topic(cell_id)),
        }
        self.redis = redis.Redis(host=environ["GOCHAT_REDIS_HOST"], port=int(environ["GOCHAT_REDIS_PORT"]))
        self._offline: set[tuple[str, str, int]] = set()
        self._tasks_read = 0
        self.beside: dict[str, Command] = {}
        """What somebody else asks of a conversation while a batch is applied."""

    def pump(
        self,
        mapping: str,
        partitions: tuple[int, ...],
        size: int,
        *,
        which: int = 0,
        only_failed: bool = True,
        orders: Orders = NOTHING,
        then: Callable[[], None] = lambda: None,
    ) -> Batch | None:
        """Bring the next batch of a topic to its function, wait for what else runs, and settle what that answers."""
        batch = self.mappings[mapping].take(partitions, size)
        if batch is None:
            return None
        function = "deliver" if mapping == "bulk" else mapping  # another function, of the very code
        answer = self._invoke(function, batch.event, which=which, orders=orders)
        then()
        done = self.mappings[mapping].settle(batch, answer, only_failed=only_failed)
        if mapping == "upstream":
            self._adopt(batch, done)
        return batch

    def report(self, number: int, *, twice: bool = False, which: int = 0, orders: Orders = NOTHING) -> None:
        """Run an event that `deliver` handed to `websocket`: again later when it failed, and maybe twice."""
        if not self.fleet.events:
            return
        payload = self.fleet.events.pop(number % len(self.fleet.events))
        answer = self._invoke("websocket", msgspec.json.decode(payload), which=which, orders=orders)
        if answer is None or twice:
            self.fleet.events.append(payload)

    def sweep(self, *, which: int = 0, orders: Orders = NOTHING) -> None:
        """Do what the schedule does every minute: announce what was left unannounced."""
        self._invoke("redrive", {}, which=which, orders=orders)

    def offline(self) -> set[tuple[str, str, int]]:
        """Return who is on the offline path for which message: user, conversation, seq."""
        records = self.log.of_topic(TASK_TOPIC)
        for record in records[self._tasks_read :]:
            task = decode(TaskRecord, record.value).task
            if not isinstance(task, OfflineTask):
                continue
            self._offline |= {
                (str(user), str(task.conversation_id), seq) for user in task.user_ids for seq in task.seqs
            }
        self._tasks_read = len(records)
        return self._offline

    def say_farewell(self, socket: Socket, *, which: int = 0, orders: Orders = NOTHING) -> None:
        """Send a connection's `$disconnect`; nobody repeats it when that fails."""
        event = socket.event("DISCONNECT", disconnectStatusCode=1001)
        self._invoke("websocket", event, which=which, orders=orders)

    def say_as(self, socket: Socket) -> str:
        """Send a frame on a connection whatever its client knows, and return the code of the answer."""
        frame = {"action": "hello", "id": "f0", "data": {}}
        answer = self.fleet.invoke("websocket", socket.event("MESSAGE", body=json.dumps(frame)))
        told = json.loads(answer["body"])
        return str(told.get("error", {}).get("code", told["event"]))

    def poison(self, *, can_be_read: bool, chat_id: str) -> None:
        """Put a record on the upstream topic that no code of ours would write."""
        value = b"?"
        models = [one for one in self.log.of_topic(UPSTREAM_TOPIC) if b'"message.send"' in one.value]
        if can_be_read and models:
            record = json.loads(models[-1].value)
            record["frame_id"] = "poison"
            record["command"] |= {"type": "x" * 17, "client_msg_id": f"poison-{len(self.log.records)}"}
            value = json.dumps(record).encode()
            chat_id = record["command"]["conversation_id"]
        was_available, self.log.available = self.log.available, True
        held, self.log.fail_after = self.log.fail_after, None
        self.log.produce([OutgoingRecord(topic=UPSTREAM_TOPIC, key=chat_id.encode(), value=value)])
        self.log.available, self.log.fail_after = was_available, held

    def _invoke(self, function: str, event: Any, *, which: int, orders: Orders) -> Mapping[str, Any] | None:
        """Return what a function answers to the platform; None when it died or failed."""
        try:
            answer: Mapping[str, Any] = self.fleet.invoke(function, event, which=which, orders=orders)
        except (Died, Unavailable):
            return None
        return answer

    def _adopt(self, batch: Batch, done: set[tuple[int, int]]) -> None:
        """Have the model follow a batch, conversation by conversation."""
        by_chat: dict[str, list[tuple[Command, bool]]] = {}
        for place, record in batch.records:
            command = self.ledger.commands.get(_frame_id(record.value))
            if command is not None:
                by_chat.setdefault(record.key.decode(), []).append((command, place in done))
        for chat_id in by_chat.keys() | self.beside.keys():
            commands = by_chat.get(chat_id, [])
            at_least = max((at + 1 for at, (_, is_done) in enumerate(commands) if is_done), default=0)
            beside = self.beside.get(chat_id)
            self.ledger.adopt(chat_id, [one for one, _ in commands], at_least=at_least, beside=beside)


def _frame_id(value: bytes) -> str:
    try:
        return str(json.loads(value)["frame_id"])
    except (ValueError, KeyError):
        return ""
