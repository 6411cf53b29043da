import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from typing import Any

import pytest

from gochat_aws.kafka_event import IncomingRecord
from gochat_core.ids import single_conversation_id
from gochat_core.types import UserId
from gochat_repo.mysql import Database, Transaction
from gochat_repo.mysql_errors import LockConflict
from gochat_repo.outbox import OutboxEntry, insert_outbox
from logic.conversations.create_conversation import create_single_conversation
from logic.conversations.ports import ConversationPorts
from tests.integration.messages.conftest import flush
from tests.integration.messages.stage import (
    ALICE,
    BOB,
    CAROL,
    CHAT,
    Stage,
    act,
    command,
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


def test_both_members_hear_that_their_chat_began_before_its_first_message(stage: Stage) -> None:
    stage.connect(ALICE)
    stage.connect(BOB)
    stage.doors[0].apply(frame("a"), frame("b"), read(1))
    for user, peer, unread in ((ALICE, BOB, 0), (BOB, ALICE, 1)):
        (created,) = stage.told(user, "conversation.created")
        seen = created["conversation"]
        assert seen["peer"]["user_id"] == str(peer)
        assert seen["peer"]["display_name"] == f"User {peer}"
        assert (seen["type"], seen["last_seq"], seen["unread_count"]) == ("single", 2, unread)
        assert seen["last_message"]["client_msg_id"] == "b"
    assert stage.told(ALICE, "conversation.created")[0]["conversation"]["peer_read_seq"] == 1
    order = [
        item.event
        for record in stage.producer.records
        if record.key == str(BOB).encode()
        for item in stage.items_of(record)
    ]
    assert order[:2] == ["conversation.created", "message.new"]
    stage.doors[0].apply(frame("c"))
    assert len(stage.told(BOB, "conversation.created")) == 1
    stage.check_all_announced()


def test_what_is_said_of_a_new_chat_is_what_is_read_of_it(stage: Stage) -> None:
    stage.connect(ALICE)
    stage.connect(BOB)
    stage.doors[0].apply(frame("a"), react(1), read(1))
    stage.check_all_announced()
    stage.doors[0].database.transaction(
        lambda tx: insert_outbox(tx, [OutboxEntry(conversation_id=CHAT, kind="created", number=0)], now_ms=1)
    )
    other = stage.open_door()
    other.apply(frame("x", sender=CAROL, peer=ALICE))
    for user in (ALICE, BOB):
        told = [
            one for one in stage.told(user, "conversation.created") if one["conversation"]["conversation_id"] == CHAT
        ]
        assert len(told) == 2
        assert told[0] == told[1]


def test_an_entry_in_the_outbox_is_told_to_its_user_alone(stage: Stage) -> None:
    stage.connect(ALICE)
    stage.connect(BOB)
    door = stage.doors[0]
    door.apply(frame("a"))
    entry = OutboxEntry(conversation_id=CHAT, kind="entry", number=BOB)
    door.database.transaction(lambda tx: insert_outbox(tx, [entry], now_ms=stage.clock.now_ms()))
    door.announcer.announce_noted([entry])
    assert [one["conversation"]["unread_count"] for one in stage.told(BOB, "conversation.updated")] == [1]
    assert stage.told(ALICE, "conversation.updated") == []
    stage.check_all_announced()


def test_an_entry_noted_again_meanwhile_stays_in_the_outbox(stage: Stage) -> None:
    door = stage.doors[0]
    door.apply(frame("a"))
    entry = OutboxEntry(conversation_id=CHAT, kind="entry", number=BOB)

    def note(now_ms: int) -> None:
        door.database.transaction(lambda tx: insert_outbox(tx, [entry], now_ms=now_ms))

    note(stage.clock.now_ms())
    note(stage.clock.now_ms() + 1)
    door.announcer.announce_noted([entry])
    stage.check_settled(door)
    assert stage.rows("SELECT kind FROM outbox") == [("entry",)]


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


def test_both_doors_at_once_change_one_conversation_without_losing_a_change(stage: Stage) -> None:
    group = stage.add_group([ALICE, BOB, *STRANGERS])
    stage.add_users(*STRANGERS)
    stage.doors[0].apply(*(act(command(f"m{number}", conversation_id=group)) for number in range(5)))
    doors = [stage.open_door() for _ in range(3)]
    emoji = [chr(0x1F600 + number) for number in range(8)]

    def add_all(index: int) -> None:
        for number, user in enumerate(STRANGERS):
            doors[index].apply(
                react(1 + number % 5, emoji[index], by=user, chat=group),
                act(command(f"{index}-{number}", conversation_id=group), sender=user),
                read(2**62, by=user, chat=group),
            )

    together([lambda: add_all(0), lambda: add_all(1), lambda: add_all(2)])
    assert stage.rows("SELECT last_seq, last_change FROM conversations") == [(65, 60)]
    assert stage.rows("SELECT COUNT(*) FROM message_reactions WHERE NOT is_removed") == [(60,)]
    for seq in range(1, 6):
        assert sorted((one.emoji, one.count) for one in stage.message(seq, group).reactions) == [
            (one, 4) for one in emoji[:3]
        ]


def test_a_chat_made_over_rest_and_begun_by_a_message_at_once_is_one(stage: Stage) -> None:
    doors = [stage.open_door(), stage.open_door()]
    for number in range(20):
        one, other = UserId(20_000 + 2 * number), UserId(20_001 + 2 * number)
        stage.add_users(one, other)
        ports = ConversationPorts(database=doors[0].database, announcer=doors[0].announcer, clock=stage.clock)
        first = frame("first", sender=other, peer=one)
        create = partial(create_single_conversation, ports, one, other)
        together([create, partial(doors[1].apply, first)])
    assert stage.rows("SELECT last_seq, COUNT(*) FROM conversations GROUP BY last_seq") == [(1, 20)]
    assert stage.rows("SELECT COUNT(*), SUM(sent_seq) FROM conversation_participants") == [(40, 20)]


def test_chats_that_begin_at_once_in_many_batches_deadlock_nobody_for_good(stage: Stage) -> None:
    doors = [stage.open_door() for _ in range(3)]
    people = list(pairs(12))
    stage.add_users(*(user for pair in people for user in pair))
    orders = [people, people[::-1], people[6:] + people[:6]]

    def begin(index: int) -> None:
        verdicts = doors[index].apply(
            *(frame(f"first-{index}", sender=pair[index % 2], peer=pair[1 - index % 2]) for pair in orders[index])
        )
        assert verdicts.counts["stored"] == 12

    together([lambda: begin(0), lambda: begin(1), lambda: begin(2)])
    assert stage.rows("SELECT last_seq, COUNT(*) FROM conversations GROUP BY last_seq") == [(3, 12)]


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


@contextmanager
def faults_raised() -> Iterator[list[BaseException]]:
    """Collect what threads raise."""
    raised: list[BaseException] = []
    yield raised
    assert raised == []


def together(works: list[Callable[[], Any]]) -> None:
    """Run these at once, and fail if one of them fails."""
    start = threading.Barrier(len(works))
    with faults_raised() as raised:

        def run(work: Callable[[], Any]) -> None:
            try:
                start.wait(10)
                work()
            except BaseException as fault:  # noqa: BLE001 - told by the test's own thread
                raised.append(fault)

        threads = [threading.Thread(target=run, args=(work,)) for work in works]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
