# ruff: noqa: T201  # a benchmark prints
"""Measures telling a group whose members are all away: the worker, RepoService and `push` over real stores."""

import argparse
import os
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import count
from pathlib import Path
from statistics import median

from cdk_app.catalogue import TASK_PUSH, TASK_WORKER
from gochat_core.types import ConversationId, UserId
from gochat_repo.migrate import migrate_from
from local_stage.services.mysql import start_mysql
from local_stage.services.redis import start_redis
from tests.benchmarks.messages_stage import show_machine
from tests.fixtures.away_members import away_task, insert_away_members
from tests.model.pushing import PushWay, push_way

MEMBERS = 1_000
SENDER = UserId(1_000)
_GROUPS = count(1)


@contextmanager
def running_way() -> Iterator[PushWay]:
    """Start MySQL and Redis, and wire the functions over them; the provider answers at once."""
    with tempfile.TemporaryDirectory() as folder:
        mysql, cluster = start_mysql(Path(folder) / "mysql"), start_redis(Path(folder) / "redis")
        os.environ |= {
            "AWS_REGION": "eu-west-1",
            "POWERTOOLS_METRICS_DISABLED": "true",
            "GOCHAT_STAGE": "bench",
            "GOCHAT_LOG_LEVEL": "CRITICAL",
            "GOCHAT_KAFKA_BOOTSTRAP": "in memory",
            "GOCHAT_MYSQL_HOST": mysql.host,
            "GOCHAT_MYSQL_PORT": str(mysql.port),
            "GOCHAT_MYSQL_USER": mysql.user,
            "GOCHAT_MYSQL_DATABASE": "gochat",
            "GOCHAT_REDIS_HOST": cluster.host,
            "GOCHAT_REDIS_PORT": str(cluster.port),
            "GOCHAT_PARTIAL_BATCH": "true",
            "GOCHAT_REPO_FUNCTION": "repo-rpc",
            "GOCHAT_WORKER_FUNCTION": "task-worker",
        }
        try:
            migrate_from(os.environ)
            with push_way(os.environ, "") as way:
                yield way
        finally:
            for service in (mysql, cluster):
                service.stop()


def tell(way: PushWay, members: list[UserId]) -> tuple[float, float, int]:
    """Have a new group of these members told; returns the worker's and `push`'s seconds, and `push`'s batches."""
    chat = ConversationId(f"{next(_GROUPS):032x}")
    now_ms = way.clock.now_ms()
    insert_away_members(way.database, chat, SENDER, members, at_ms=now_ms)
    way.log.produce([away_task(chat, members, at_ms=now_ms)])
    way.fleet.pushed.clear()
    began_s = time.perf_counter()
    way.pump("worker")
    decided_s = time.perf_counter()
    batches = 0
    while way.pump("push"):
        batches += 1
    assert len(way.fleet.pushed) == len(members)
    return decided_s - began_s, time.perf_counter() - decided_s, batches


def main() -> None:
    """Print the time of each function, and how it stands against its timeout."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=5)
    options = parser.parse_args()
    show_machine()
    with running_way() as way:
        tell(way, [UserId(2_000 + number) for number in range(MEMBERS)])  # warms up
        began_s = time.process_time()
        samples = [
            tell(way, [UserId(10_000 * (round_ + 1) + number) for number in range(MEMBERS)])
            for round_ in range(options.rounds)
        ]
        cpu_s = time.process_time() - began_s
    worker_s, push_s = median(one[0] for one in samples), median(one[1] for one in samples)
    batches = samples[0][2]
    print(f"a group of {MEMBERS:,} who are all away, {options.rounds} rounds, medians")
    print(f"worker: {worker_s * 1000:,.0f} ms, {worker_s / MEMBERS * 1e6:,.0f} us a member, in one batch")
    print(f"push:   {push_s * 1000:,.0f} ms, {push_s / MEMBERS * 1e6:,.0f} us a member, in {batches} batches")
    print(f"CPU, test data included: {cpu_s / options.rounds / MEMBERS * 1e6:,.0f} us a member")
    for name, took_s, timeout_s in (
        ("worker", worker_s, TASK_WORKER.timeout_s),
        ("a batch of push", push_s / batches, TASK_PUSH.timeout_s),
    ):
        print(f"{'met   ' if took_s < timeout_s / 10 else 'MISSED'}  {name}: a tenth of its {timeout_s} s")


if __name__ == "__main__":
    main()
