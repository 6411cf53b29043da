import json
from collections.abc import Sequence
from typing import Any

import pytest
import redis

from gochat_aws.kafka_event import IncomingRecord
from gochat_contracts.records import TASK_TOPIC, OfflineTask, TaskRecord, encode
from gochat_core.ids import single_conversation_id
from gochat_core.types import ConversationId, Seq, UserId
from gochat_repo.connections import Connections
from logic.announce.announcer import Announcer
from logic.upstream.batch import UpstreamBatches
from task.worker.tasks import TaskVerdicts
from task.worker.wiring import make_batches
from tests.integration.messages.frames import ALICE, BOB, CAROL, CHAT, edit, frame, react, recall
from tests.integration.messages.stage import Stage


class Worker:
    """The task worker over the stage's stores."""

    def __init__(self, stage: Stage) -> None:
        door = stage.doors[0]
        self.tasks = make_batches(door.database, door.cache, stage.producer, stage.clock, page_members=500)
        self.database, self.cache = door.database, door.cache

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


@pytest.mark.needs_redis
def test_who_came_back_although_the_cache_does_not_know_it_yet(stage: Stage, worker: Worker) -> None:
    door = stage.doors[0]
    stage.connect(BOB)
    with redis.Redis(host=stage.redis.redis_host, port=stage.redis.redis_port) as client:
        client.set(f"user_conns:{BOB}", b"=[]")
    assert door.connections.find([BOB]) == {BOB: ()}
    assert worker.apply(task([1])).redelivered == 1


@pytest.mark.needs_redis
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
    assert (verdicts.redelivered, verdicts.dead_letters, verdicts.failed) == (1, 2, set())
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


@pytest.mark.needs_redis
def test_many_tasks_cost_as_many_round_trips_as_one(stage: Stage, worker: Worker) -> None:
    stage.connect(BOB)
    tasks = [task([1, 2], [ALICE, BOB]) for _ in range(50)]

    def cost() -> list[int]:
        before = worker.database.round_trips, worker.cache.round_trips
        worker.apply(*tasks)
        return [worker.database.round_trips - before[0], worker.cache.round_trips - before[1]]

    assert cost() == [3, 2], (
        "connections, what Bob may see who is back, and who has a device to be told; messages, which the announcement"
        " has put into the cache, and that Alice is offline"
    )
    with redis.Redis(host=stage.redis.redis_host, port=stage.redis.redis_port) as client:
        client.flushall()
    assert cost() == [4, 3], "and the messages, to be read and to be kept"


def test_a_cached_message_is_never_shown_as_it_was_before_a_change(stage: Stage, worker: Worker) -> None:
    stage.connect(BOB)

    def shown() -> list[tuple[bool, dict[str, str], int]]:
        stage.producer.records.clear()
        worker.apply(task([1, 2]))
        return [(one["recalled"], one["content"], len(one["reactions"])) for one in stage.told(BOB, "message.new")]

    hello = {"text": "hello"}
    assert shown() == [(False, hello, 0), (False, hello, 0)]
    stage.doors[0].apply(react(2))
    assert shown() == [(False, hello, 0), (False, hello, 1)]
    stage.doors[0].apply(edit(2, "changed"))
    assert shown() == [(False, hello, 0), (False, {"text": "changed"}, 1)]
    stage.doors[0].apply(recall(1))
    assert shown() == [(True, {}, 0), (False, {"text": "changed"}, 1)]


def test_a_chat_that_was_asked_for_before_it_began_is_known_when_it_has(stage: Stage, worker: Worker) -> None:
    chat = single_conversation_id(ALICE, CAROL)
    stage.connect(CAROL)
    assert worker.apply(task([1], [CAROL], chat)).dead_letters == 1
    stage.doors[0].apply(frame("first", peer=CAROL))
    assert worker.apply(task([1], [CAROL], chat)).redelivered == 1


def test_a_message_that_changes_before_it_is_announced_is_not_cached_as_it_was(stage: Stage, worker: Worker) -> None:
    class RecalledMeanwhile(Connections):
        def find(self, *args: Any, **options: Any) -> Any:
            stage.doors[0].apply(recall(3))
            return super().find(*args, **options)

    other = stage.open_door()
    connections = RecalledMeanwhile(other.database, other.cache)
    announcer = Announcer(other.database, connections, stage.producer, stage.clock)
    UpstreamBatches(other.store, announcer, stage.producer, stage.clock).apply([frame("c")])
    stage.connect(BOB)
    stage.producer.records.clear()
    worker.apply(task([3]))
    assert [one["recalled"] for one in stage.told(BOB, "message.new")] == [True]
