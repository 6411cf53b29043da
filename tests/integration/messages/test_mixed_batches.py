from collections.abc import Callable
from typing import Any

import pytest

from gochat_aws.kafka_event import IncomingRecord
from gochat_core.ids import single_conversation_id
from gochat_core.types import UserId
from gochat_repo.mysql import Database, Transaction
from gochat_repo.mysql_errors import LockConflict
from tests.integration.messages.conftest import flush
from tests.integration.messages.frames import (
    ALICE,
    BOB,
    delivered,
    edit,
    frame,
    pairs,
    react,
    read,
    recall,
    typing,
    unreact,
)
from tests.integration.messages.stage import Stage
from tests.integration.messages.test_failures import die
from tests.integration.messages.test_upstream_batch import trips

STRANGERS = [UserId(7000 + number) for number in range(20)]


def mixed(name: str, *, chats: int = 10) -> list[IncomingRecord]:
    """Every action at once over so many chats that have five messages or more."""
    return [
        record
        for one, other in list(pairs(50))[:chats]
        for chat in [single_conversation_id(one, other)]
        for record in (
            frame(f"{name}-1", sender=one, peer=other),
            frame(f"{name}-2", sender=other, peer=one),
            edit(1, name, by=one, chat=chat),
            recall(2, by=one, chat=chat),
            react(3, by=one, chat=chat),
            react(3, name[-1] + "\N{COMBINING ENCLOSING KEYCAP}", by=other, chat=chat),
            unreact(4, by=one, chat=chat),
            delivered(9, by=other, chat=chat),
            read(9, by=one, chat=chat),
            typing(by=one, chat=chat),
        )
    ]


@pytest.fixture
def chats(stage: Stage) -> Stage:
    """Ten chats with five messages each, of which the fourth has a reaction."""
    stage.add_users(*(user for pair in pairs(50) for user in pair), *STRANGERS)
    ten = list(pairs(10))
    door = stage.doors[0]
    door.apply(*(frame(f"m{number}", sender=one, peer=other) for one, other in ten for number in range(5)))
    door.apply(*(react(4, by=one, chat=single_conversation_id(one, other)) for one, other in ten))
    return stage


@pytest.mark.needs_redis
def test_every_action_mixed_costs_ten_database_and_four_cache_round_trips(chats: Stage) -> None:
    door = chats.doors[0]
    before = door.cache.round_trips
    assert trips(door.database, lambda: door.apply(*mixed("a1"))) == 9
    assert door.cache.round_trips - before == 1
    new = [frame("hello", sender=one, peer=other) for one, other in zip(STRANGERS[::2], STRANGERS[1::2], strict=True)]
    door.connections.find(STRANGERS)
    before = door.cache.round_trips
    verdicts: list[Any] = []
    assert trips(door.database, lambda: verdicts.append(door.apply(*new, *mixed("b2")))) == 10, "and chats that begin"
    assert door.cache.round_trips - before == 1
    assert verdicts[0].counts["stored"] == 30
    assert verdicts[0].rejected == {}
    assert verdicts[0].actions["message.edit"] == 10


@pytest.mark.needs_redis
@pytest.mark.parametrize("chats_named", [1, 10])
def test_round_trips_of_every_action_mixed_do_not_grow(chats: Stage, chats_named: int) -> None:
    door = chats.doors[0]
    door.apply(*mixed("a1", chats=chats_named))
    assert trips(door.database, lambda: door.apply(*mixed("b2", chats=chats_named))) == 9


@pytest.mark.needs_redis
def test_chats_that_begin_cost_eight_database_round_trips(chats: Stage) -> None:
    door = chats.doors[0]
    door.connections.find(STRANGERS)
    new = [frame("hello", sender=one, peer=other) for one, other in zip(STRANGERS[::2], STRANGERS[1::2], strict=True)]
    known = [frame("hello", sender=one, peer=other) for one, other in pairs(10)]
    assert trips(door.database, lambda: door.apply(*new, *known)) == 8


@pytest.mark.needs_redis
def test_marks_alone_cost_four_database_round_trips_and_repeats_two(chats: Stage) -> None:
    door = chats.doors[0]
    marks = [read(5, by=other, chat=single_conversation_id(one, other)) for one, other in pairs(10)]
    assert trips(door.database, lambda: door.apply(*marks)) == 4
    assert trips(door.database, lambda: door.apply(*marks)) == 2


@pytest.mark.needs_redis
def test_typing_alone_costs_one_database_round_trip(chats: Stage) -> None:
    door = chats.doors[0]
    shows = [typing(by=one, chat=single_conversation_id(one, other)) for one, other in pairs(10)]
    assert trips(door.database, lambda: door.apply(*shows)) == 1


def test_a_redelivered_batch_of_everything_moves_no_number(chats: Stage) -> None:
    door = chats.doors[0]
    batch = mixed("a1")
    door.apply(*batch)
    state = chats.rows("SELECT conversation_id, last_seq, last_change FROM conversations ORDER BY 1")
    verdicts = chats.open_door().apply(*batch)
    assert verdicts.counts["stored"] == verdicts.counts["changed"] == 0
    assert verdicts.rejected == {}
    assert chats.rows("SELECT conversation_id, last_seq, last_change FROM conversations ORDER BY 1") == state


def test_a_container_that_dies_between_commit_and_flush_loses_no_change(stage: Stage) -> None:
    stage.connect(ALICE)
    stage.connect(BOB)
    stage.doors[0].apply(frame("a"), frame("b"))
    batch = [edit(1, "x"), react(1), recall(2), frame("c")]
    die(stage, batch, at="flush")
    assert stage.told(BOB, "message.edited") == []
    verdicts = stage.doors[0].apply(*batch)
    assert verdicts.counts["changed"] == 0
    assert [one["count"] for one in stage.told(BOB, "reaction")] == [1]
    assert [one["seq"] for one in stage.told(BOB, "message.recalled")] == [2]
    assert [one["client_msg_id"] for one in stage.told(BOB, "message.new")] == ["a", "b", "c"]
    # The edit is not the message's last change: whoever comes by later tells of it.
    assert stage.outbox() == 1
    stage.clock.now = 4_000_000_000_000
    stage.doors[0].apply(frame("d"))
    assert [one["content"] for one in stage.told(BOB, "message.edited")] == [{"text": "x"}]
    stage.check_all_announced()


def test_a_container_that_dies_before_commit_leaves_every_action_undone(stage: Stage) -> None:
    stage.doors[0].apply(frame("a"), frame("b"))
    stage.check_all_announced()
    die(stage, [edit(1, "x"), react(1), recall(2), read(2), frame("c")], at="commit")
    assert stage.rows("SELECT last_seq, last_change FROM conversations") == [(2, 0)]
    assert stage.rows("SELECT COUNT(*) FROM message_reactions") == [(0,)]
    assert stage.rows("SELECT MAX(read_seq) FROM conversation_participants") == [(0,)]
    assert stage.outbox() == 0


def test_a_deadlock_runs_the_whole_batch_again(stage: Stage) -> None:
    class LosesOnce(Database):
        lost = False

        def transaction(self, work: Callable[[Transaction], Any]) -> Any:
            def losing(tx: Transaction) -> Any:
                result = work(tx)
                if not LosesOnce.lost and result is not None:
                    LosesOnce.lost = True
                    raise LockConflict
                return result

            return super().transaction(losing)

    stage.doors[0].apply(frame("a"), frame("b"))
    verdicts = stage.open_door(database_class=LosesOnce).apply(edit(1, "x"), react(1), frame("c"), read(3), recall(2))
    assert LosesOnce.lost
    assert (verdicts.counts["stored"], verdicts.counts["changed"], verdicts.counts["marked"]) == (1, 3, 1)
    assert stage.rows("SELECT last_seq, last_change FROM conversations") == [(3, 3)]


def test_with_the_cache_flushed_in_between_nothing_drifts(chats: Stage, redis_cluster: Any) -> None:
    door = chats.doors[0]
    door.apply(*mixed("a1"))
    flush(redis_cluster)
    door.apply(*mixed("b2"))
    for one, other in pairs(10):
        chat = bytes.fromhex(single_conversation_id(one, other))
        assert chats.rows("SELECT last_seq FROM conversations WHERE conversation_id = %s", chat) == [(9,)]
        (stored,) = chats.rows("SELECT COUNT(*), MAX(seq) FROM messages WHERE conversation_id = %s", chat)
        assert stored == (9, 9)
