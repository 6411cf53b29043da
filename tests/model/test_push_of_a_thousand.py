"""A group whose thousand members are all away is told within the functions' time, in batches."""

import time
from collections import Counter
from collections.abc import Iterator, Mapping

import pytest

from cdk_app.catalogue import TASK_PUSH, TASK_WORKER
from gochat_core.types import ConversationId, UserId
from tests.fixtures.away_members import away_task, insert_away_members
from tests.model.pushing import PushWay, push_way

pytestmark = pytest.mark.timeout(600)

SENDER = UserId(100_000)


@pytest.fixture
def way(environ: Mapping[str, str], secret: str) -> Iterator[PushWay]:
    with push_way(environ, secret) as made:
        yield made


def tell(way: PushWay, conversation_id: ConversationId, members: list[UserId]) -> tuple[int, int, int]:
    """Have all members told.

    Returns what the worker's one invocation took of input and output, and what each of `push`'s took at most and least.
    """
    now_ms = way.clock.now_ms()
    insert_away_members(way.database, conversation_id, SENDER, members, at_ms=now_ms)
    way.log.produce([away_task(conversation_id, members, at_ms=now_ms)])
    began_s = time.monotonic()
    assert way.pump("worker")
    assert time.monotonic() - began_s < TASK_WORKER.timeout_s
    pieces: list[tuple[int, int]] = []
    began_s = time.monotonic()
    while way.pump("push"):
        sends = 2 * (len(way.fleet.pushed) - sum(pieces_of for pieces_of, _ in pieces))
        pieces.append((sends // 2, way.fleet.pieces("push") - sends))
        assert time.monotonic() - began_s < TASK_PUSH.timeout_s
        began_s = time.monotonic()
    told = [count for _, count in pieces]
    return way.fleet.pieces("worker"), max(told), min(told)


def test_a_thousand_members_cost_as_many_round_trips_a_batch_as_ten(way: PushWay) -> None:
    few = [UserId(200_000 + number) for number in range(10)]
    many = [UserId(300_000 + number) for number in range(1_000)]
    tell(way, ConversationId("e" * 32), few[:1])  # what is cached of the sender is cached now
    way.fleet.pushed.clear()
    for_few = tell(way, ConversationId("d" * 32), few[1:])
    way.fleet.pushed.clear()
    for_many = tell(way, ConversationId("c" * 32), many)
    assert all(of_many <= of_few for of_many, of_few in zip(for_many, for_few, strict=True)), (for_many, for_few)
    assert Counter(push.record.user_id for push in way.fleet.pushed) == dict.fromkeys(many, 1)
    assert {(push.badge, push.record.title, push.record.kind) for push in way.fleet.pushed} == {
        (1, "Climbing", "alert")
    }
    fates = way.database.read(
        lambda tx: tx.query("SELECT outcome, COUNT(*) FROM push_log WHERE user_id >= 300000 GROUP BY outcome")
    )
    assert list(fates) == [("sent", 1_000)]
