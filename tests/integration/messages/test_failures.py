import base64
import os
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import msgspec
import psutil
import pytest

from gochat_aws.kafka_event import IncomingRecord
from gochat_core.errors import Unavailable
from gochat_repo.outbox import OVERDUE_MS
from local_stage.services.mysql import MySqlServer, start_mysql
from local_stage.services.redis import RedisCluster, start_redis
from logic.announce.announcer import OVERDUE_CHECK_MS, Announcer
from logic.upstream.batch import UpstreamBatches
from tests.integration.messages.conftest import flush, open_stage
from tests.integration.messages.crashing_door import DIED, Job
from tests.integration.messages.frames import ALICE, BOB, CHAT, frame, incoming
from tests.integration.messages.stage import Stage

ROOT = Path(__file__).parents[3]


@pytest.fixture
def own_mysql(tmp_path: Path) -> Iterator[MySqlServer]:
    server = start_mysql(tmp_path / "mysql")
    yield server
    server.stop()


@pytest.fixture
def own_redis(tmp_path: Path) -> Iterator[RedisCluster]:
    cluster = start_redis(tmp_path / "redis")
    yield cluster
    cluster.stop()


def die(stage: Stage, records: list[IncomingRecord], *, at: str) -> None:
    """Have another container apply the batch and die at this place."""
    job = Job(
        mysql=stage.mysql,
        redis=stage.redis,
        records=[
            (base64.b64encode(one.key or b"").decode(), base64.b64encode(one.value or b"").decode()) for one in records
        ],
        die_at=at,
    )
    done = subprocess.run(
        [sys.executable, "-m", "tests.integration.messages.crashing_door"],
        input=msgspec.json.encode(job),
        cwd=ROOT,
        env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)},
        capture_output=True,
    )
    assert done.returncode == DIED, done.stderr.decode()


def test_a_container_that_dies_between_commit_and_flush_loses_no_announcement(stage: Stage) -> None:
    stage.connect(ALICE)
    stage.connect(BOB)
    records = [frame("a"), frame("b")]
    die(stage, records, at="flush")
    assert stage.stored() == [(1, "a"), (2, "b")]
    assert stage.outbox() == 3, "two messages, and the chat that began"
    assert stage.doors[0].apply(*records).counts["duplicate"] == 2
    assert [one["seq"] for one in stage.told(BOB, "message.new")] == [1, 2]
    assert [one["seq"] for one in stage.told(ALICE, "message.stored")] == [1, 2]
    stage.check_all_announced()


def test_a_container_that_dies_before_commit_leaves_nothing_behind(stage: Stage) -> None:
    stage.connect(BOB)
    records = [frame("a"), frame("b")]
    die(stage, records, at="commit")
    assert stage.stored() == []
    assert stage.outbox() == 0
    assert stage.doors[0].apply(*records).counts["stored"] == 2
    assert [one["seq"] for one in stage.told(BOB, "message.new")] == [1, 2]


def test_what_a_dead_container_left_is_announced_although_its_batch_never_comes_again(stage: Stage) -> None:
    stage.connect(BOB)
    die(stage, [frame("a")], at="flush")
    door = stage.open_door()
    stage.clock.now = time.time_ns() // 1_000_000 + 40_000
    door.apply(frame("b", sender=BOB, peer=ALICE))
    assert [one["client_msg_id"] for one in stage.told(BOB, "message.new")] == ["a"]
    stage.check_all_announced()


def test_without_redis_messages_are_stored_and_reach_their_people(own_redis: RedisCluster, stage: Stage) -> None:
    stage.connect(BOB)
    own_redis.stop()
    lonely = Stage(
        mysql=stage.mysql,
        redis=msgspec.structs.replace(stage.redis, redis_host=own_redis.host, redis_port=own_redis.port),
        producer=stage.producer,
    )
    without = lonely.open_door()
    assert without.apply(frame("a"), frame("b")).counts["stored"] == 2
    assert [one["seq"] for one in stage.told(BOB, "message.new")] == [1, 2]
    assert without.send_over_rest("c").is_new
    lonely.close()


def test_after_a_flush_of_redis_the_next_message_reaches_idle_clients(
    stage: Stage, redis_cluster: RedisCluster
) -> None:
    stage.connect(BOB)
    stage.doors[0].apply(frame("a"))
    flush(redis_cluster)
    stage.doors[0].apply(frame("b"))
    assert [one["seq"] for one in stage.told(BOB, "message.new")] == [1, 2]


def test_while_mysql_is_away_everything_comes_again_but_what_is_unreadable(
    own_mysql: MySqlServer, redis_cluster: RedisCluster
) -> None:
    with open_stage(own_mysql, redis_cluster, "gochat") as stage:
        records = [frame("a"), incoming(b"?"), frame("b")]
        own_mysql.stop()
        verdicts = stage.doors[0].apply(*records)
        assert verdicts.failed == {0, 2}
        assert isinstance(verdicts.outage, Unavailable)
        assert [letter.reason for letter in stage.dead_letters()] == ["unreadable"]
        own_mysql.restart()
        assert stage.doors[0].apply(records[0], records[2]).counts["stored"] == 2
        assert stage.stored() == [(1, "a"), (2, "b")]


def test_with_mysql_and_the_broker_away_everything_comes_again(
    own_mysql: MySqlServer, redis_cluster: RedisCluster
) -> None:
    with open_stage(own_mysql, redis_cluster, "gochat") as stage:
        own_mysql.stop()
        stage.producer.available = False
        assert stage.doors[0].apply(frame("a"), incoming(b"?")).failed == {0, 1}


def test_where_the_whole_batch_comes_again_nothing_is_given_up_while_mysql_is_away(
    own_mysql: MySqlServer, redis_cluster: RedisCluster
) -> None:
    with open_stage(own_mysql, redis_cluster, "gochat") as stage:
        door = stage.doors[0]
        batches = UpstreamBatches(
            door.store,
            Announcer(door.database, door.connections, stage.producer, stage.clock),
            stage.producer,
            stage.clock,
            honours_partial=False,
        )
        records = [frame("a"), incoming(b"?")]
        own_mysql.stop()
        assert batches.apply(records).failed == {0, 1}
        assert stage.dead_letters() == []
        own_mysql.restart()
        assert batches.apply(records).failed == frozenset()
        assert len(stage.dead_letters()) == 1


def test_a_restart_of_mysql_under_load_loses_and_doubles_nothing(
    own_mysql: MySqlServer, redis_cluster: RedisCluster
) -> None:
    with open_stage(own_mysql, redis_cluster, "gochat") as stage:
        stage.connect(BOB)
        total = 60
        doors = [stage.open_door(), stage.open_door()]
        failures = [0, 0]

        def deliver(index: int) -> None:
            for number in range(total):
                record = frame(f"{index}-{number}", sender=(ALICE, BOB)[index], peer=(BOB, ALICE)[index])
                while doors[index].apply(record).failed:
                    failures[index] += 1
                    time.sleep(0.02)

        threads = [threading.Thread(target=deliver, args=(index,)) for index in (0, 1)]
        for thread in threads:
            thread.start()
        wait_for_messages(stage, 20)
        own_mysql.kill()
        time.sleep(0.3)
        own_mysql.restart()
        for thread in threads:
            thread.join()
        assert sum(failures) > 0, "the load met the outage"
        stored = stage.stored()
        assert [seq for seq, _ in stored] == list(range(1, 2 * total + 1))
        assert {client_msg_id for _, client_msg_id in stored} == {f"{i}-{n}" for i in (0, 1) for n in range(total)}
        assert {one["seq"] for one in stage.told(BOB, "message.new")} >= {
            seq for seq, client_msg_id in stored if client_msg_id.startswith("0-")
        }
        # What was announced but could not be ticked off is announced once more.
        stage.clock.advance_ms(OVERDUE_MS + OVERDUE_CHECK_MS)
        doors[0].apply(frame("last"))
        stage.check_all_announced()


def test_two_doors_at_once_number_one_conversation_without_gaps(stage: Stage) -> None:
    stage.connect(ALICE)
    upstream, rest = stage.open_door(), stage.open_door()
    upstream.apply(frame("first"))
    total = 40

    def send_batches() -> None:
        for number in range(0, total, 4):
            upstream.apply(*(frame(f"ws-{n}") for n in range(number, number + 4)))

    def send_over_rest() -> None:
        for number in range(total):
            rest.send_over_rest(f"rest-{number}", sender=BOB)

    threads = [threading.Thread(target=send_batches), threading.Thread(target=send_over_rest)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    stored = stage.stored()
    assert [seq for seq, _ in stored] == list(range(1, 2 * total + 2))
    for name in ("ws", "rest"):
        assert [one for _, one in stored if one.startswith(name)] == [f"{name}-{n}" for n in range(total)]
    assert stage.rows("SELECT last_seq FROM conversations WHERE conversation_id = %s", bytes.fromhex(CHAT)) == [
        (2 * total + 1,)
    ]
    stage.check_all_announced()


def test_two_first_messages_at_once_open_one_chat(stage: Stage) -> None:
    doors = [stage.open_door(), stage.open_door()]
    for round_ in range(20):
        alice, bob = 10_000 + 2 * round_, 10_001 + 2 * round_
        stage.add_users(alice, bob)
        start = threading.Barrier(2)

        def send(index: int, start: threading.Barrier = start, pair: tuple[int, int] = (alice, bob)) -> None:
            start.wait(10)
            sender, peer = pair if index == 0 else pair[::-1]
            doors[index].apply(frame(f"first-{index}", sender=sender, peer=peer))  # type: ignore[arg-type]

        threads = [threading.Thread(target=send, args=(index,)) for index in (0, 1)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    assert stage.rows("SELECT last_seq, COUNT(*) FROM conversations GROUP BY last_seq") == [(2, 20)]
    assert stage.rows("SELECT COUNT(*) FROM conversation_participants") == [(40,)]


def wait_for_messages(stage: Stage, count: int) -> None:
    """Wait until so many messages are stored."""
    deadline = time.monotonic() + 20
    while len(stage.stored()) < count:
        assert time.monotonic() < deadline
        time.sleep(0.01)


def test_a_frozen_redis_costs_one_timeout_and_loses_nothing(own_redis: RedisCluster, stage: Stage) -> None:
    stage.connect(BOB)
    slow = Stage(
        mysql=stage.mysql,
        redis=msgspec.structs.replace(stage.redis, redis_host=own_redis.host, redis_port=own_redis.port),
        producer=stage.producer,
    )
    door = slow.open_door()
    door.apply(frame("a"))
    own_redis.pause()
    pid = own_redis.pid
    assert pid is not None
    while psutil.Process(pid).status() != psutil.STATUS_STOPPED:
        time.sleep(0.005)
    assert door.apply(frame("b")).counts["stored"] == 1
    assert door.apply(frame("c")).counts["stored"] == 1
    own_redis.resume()
    assert [one["seq"] for one in stage.told(BOB, "message.new")] == [1, 2, 3]
    slow.close()
