import json
from collections.abc import Sequence

import pytest
import redis

from gochat_aws.kafka_event import IncomingRecord
from gochat_contracts.records import TASK_TOPIC, OfflineTask, TaskRecord, encode
from gochat_core.types import ConversationId, Seq, UserId
from gochat_repo.user_status import UserStatuses
from task.worker.offline import OfflineTasks, TaskVerdicts
from tests.integration.messages.stage import ALICE, BOB, CAROL, CHAT, Stage, frame


class Worker:
    """The task worker over the stage's stores."""

    def __init__(self, stage: Stage) -> None:
        door = stage.doors[0]
        self.tasks = OfflineTasks(door.database, UserStatuses(door.cache), stage.producer, stage.clock)
        self.database = door.database

    def apply(self, *values: bytes) -> TaskVerdicts:
        return self.tasks.apply(
            [
                IncomingRecord(
                    topic=TASK_TOPIC, partition=0, offset=offset, timestamp_ms=0, key=b"k", value=value, headers={}
                )
                for offset, value in enumerate(values)
            ]
        )


def task(seqs: Sequence[int], users: Sequence[UserId] = (BOB,), chat: ConversationId = CHAT) -> bytes:
    return encode(
        TaskRecord(
            task_id="t",
            created_at_ms=1,
            task=OfflineTask(conversation_id=chat, seqs=tuple(Seq(seq) for seq in seqs), user_ids=tuple(users)),
        )
    )


@pytest.fixture
def worker(stage: Stage) -> Worker:
    stage.doors[0].apply(frame("a"), frame("b"))
    stage.producer.records.clear()
    return Worker(stage)


def test_who_came_back_gets_what_was_missed_in_order(stage: Stage, worker: Worker) -> None:
    stage.connect(BOB)
    verdicts = worker.apply(task([1, 2]))
    assert (verdicts.redelivered, verdicts.offline) == (2, 0)
    assert [(one["seq"], one["content"]) for one in stage.told(BOB, "message.new")] == [
        (1, {"text": "hello"}),
        (2, {"text": "hello"}),
    ]


def test_who_came_back_although_the_cache_does_not_know_it_yet(stage: Stage, worker: Worker) -> None:
    door = stage.doors[0]
    stage.connect(BOB)
    with redis.Redis(host=stage.redis.redis_host, port=stage.redis.redis_port) as client:
        client.set(f"user_conns:{BOB}", b"[]")
    assert door.connections.find([BOB]) == {BOB: ()}
    assert worker.apply(task([1])).redelivered == 1


def test_who_is_away_is_noted_as_offline(stage: Stage, worker: Worker) -> None:
    verdicts = worker.apply(task([1, 2]))
    assert (verdicts.redelivered, verdicts.offline) == (0, 1)
    with redis.Redis(host=stage.redis.redis_host, port=stage.redis.redis_port) as client:
        status = json.loads(client.get(f"user_status:{BOB}") or b"")
    assert status == {"online": False, "last_seen_ms": stage.clock.now_ms()}
    assert stage.producer.records == []


def test_nobody_but_members_gets_a_message(stage: Stage, worker: Worker) -> None:
    stage.connect(CAROL)
    assert worker.apply(task([1], [CAROL])).redelivered == 0


def test_a_task_that_names_no_stored_message_is_given_up(stage: Stage, worker: Worker) -> None:
    stage.connect(BOB)
    verdicts = worker.apply(task([9]), task([1]), b"?")
    assert (verdicts.redelivered, verdicts.dead_letters, verdicts.failed) == (1, 2, frozenset())
    assert sorted((letter.offset, letter.reason) for letter in stage.dead_letters()) == [
        (0, "bad_data"),
        (2, "unreadable"),
    ]


def test_while_the_broker_is_away_all_tasks_come_again(stage: Stage, worker: Worker) -> None:
    stage.connect(BOB)
    stage.producer.available = False
    assert worker.apply(task([1]), task([2])).failed == {0, 1}
    stage.producer.available = True
    assert worker.apply(task([1]), task([2])).redelivered == 2


def test_many_tasks_cost_three_database_round_trips(stage: Stage, worker: Worker) -> None:
    stage.connect(BOB)
    before = worker.database.round_trips
    worker.apply(*(task([1, 2], [ALICE, BOB]) for _ in range(50)))
    assert worker.database.round_trips - before == 3
