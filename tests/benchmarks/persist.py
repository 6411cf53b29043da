# ruff: noqa: T201  # a benchmark prints
"""Measures storing a batch of 100 messages in one transaction beside one transaction a message, on a durable MySQL."""

import argparse
from collections.abc import Callable, Sequence
from functools import partial
from itertools import count
from typing import Any

from logic.commands.submission import Submission
from logic.upstream.batch import read_submission
from tests.benchmarks.messages_stage import (
    BATCH,
    Sample,
    batch,
    decoded,
    judge,
    measure,
    running_bench,
    show,
    show_machine,
)

BUDGET = 15


def submissions(name: str) -> list[Submission]:
    """Return a decoded batch."""
    return [read_submission(one) for one in batch(name)]


def each(work: Callable[[Any], object], items: Sequence[Any]) -> None:
    """Do the work for each item."""
    for item in items:
        work(item)


def main() -> None:
    """Print both, and how they stand against the budget."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=9)
    options = parser.parse_args()
    show_machine()
    names = count()
    ours: list[Sample] = []
    single: list[Sample] = []
    naive: list[Sample] = []
    with running_bench() as bench:
        for round_ in range(options.rounds + 1):
            batches = [submissions(f"b{next(names)}") for _ in range(5)]
            ones = [[one] for one in submissions(f"b{next(names)}")]
            samples = (
                measure(5 * BATCH, partial(each, bench.door.store.store, batches)),
                measure(BATCH, partial(each, bench.door.store.store, ones)),
                measure(BATCH, partial(each, bench.naive.persist_one, decoded(batch(f"b{next(names)}")))),
            )
            if round_:  # the first warms up
                for sample, kept in zip(samples, (ours, single, naive), strict=True):
                    kept.append(sample)
    print(f"{BATCH} messages over 50 conversations, innodb_flush_log_at_trx_commit=1, {options.rounds} rounds")
    best = show("one transaction a batch", ours)
    alone = show("the same code, a batch of one", single)
    worst = show("naive: a transaction a message", naive)
    judge(f"{BUDGET} x the same code with a transaction a message", best.rate / alone.rate, BUDGET)
    judge(f"{BUDGET} x the naive way", best.rate / worst.rate, BUDGET)


if __name__ == "__main__":
    main()
