# ruff: noqa: T201  # a benchmark prints
"""Measures im-logic's whole work on a batch of 100, all I/O real: of messages, beside one by one; of all actions."""

import argparse
from collections.abc import Sequence
from functools import partial
from itertools import count

from gochat_aws.kafka_event import IncomingRecord
from tests.benchmarks.messages_stage import (
    BATCH,
    Sample,
    batch,
    judge,
    measure,
    mixed_batch,
    running_bench,
    show,
    show_machine,
)
from tests.integration.messages.stage import Door

CPU_BUDGET = 20


def apply_all(door: Door, batches: Sequence[list[IncomingRecord]]) -> None:
    """Apply batches one after the other."""
    for one in batches:
        door.apply(*one)


def counted(door: Door) -> list[int]:
    """Return the round trips so far, to the database and to the cache."""
    return [door.database.round_trips, door.cache.round_trips]


def main() -> None:
    """Print both, the round trips of a batch, and how they stand against the budget."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=7)
    options = parser.parse_args()
    show_machine()
    names = count()
    ours: list[Sample] = []
    naive: list[Sample] = []
    mixed: list[Sample] = []
    with running_bench() as bench:
        door = bench.door
        for round_ in range(options.rounds + 1):
            batches = [batch(f"b{next(names)}") for _ in range(5)]
            plain = batch(f"b{next(names)}")
            trips = counted(door)
            ours_now = measure(5 * BATCH, partial(apply_all, door, batches))
            trips = [(after - before) // 5 for after, before in zip(counted(door), trips, strict=True)]
            of_all = mixed_batch(f"x{round_ % 10}")
            mixed_trips = counted(door)
            mixed_now = measure(BATCH, partial(apply_all, door, [of_all]))
            mixed_trips = [after - before for after, before in zip(counted(door), mixed_trips, strict=True)]
            naive_now = measure(BATCH, partial(bench.naive.apply, plain))
            if round_:  # the first warms up
                ours.append(ours_now)
                naive.append(naive_now)
                mixed.append(mixed_now)
    print(f"{BATCH} messages over 50 conversations to 100 users with 2 devices each, {options.rounds} rounds")
    print(f"round trips of a batch: database {trips[0]} (budget 8), cache {trips[1]} (budget 4)")
    print(f"  of every action mixed: database {mixed_trips[0]} (budget 10), cache {mixed_trips[1]} (budget 4)")
    best = show("a batch at a time", ours)
    show("a batch of every action mixed", mixed)
    worst = show("naive: message by message", naive)
    judge(f"CPU: 1/{CPU_BUDGET} of the naive way", worst.cpu_us / best.cpu_us, CPU_BUDGET)


if __name__ == "__main__":
    main()
