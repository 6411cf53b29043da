import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from typing import Any

import pytest

from gochat_core.errors import MessageNotFound
from gochat_core.types import UserId
from gochat_repo import conversations
from gochat_repo.mysql import Database, Transaction
from gochat_repo.mysql_pool import MySqlSettings
from logic.conversations.create_conversation import create_single_conversation
from logic.conversations.ports import ConversationPorts
from logic.pipeline import store_commands
from tests.integration.messages.frames import (
    ALICE,
    BOB,
    CHAT,
    act,
    command,
    edit,
    frame,
    pairs,
    react,
    read,
    recall,
)
from tests.integration.messages.stage import Stage

STRANGERS = [UserId(7000 + number) for number in range(20)]
HEAVY = [UserId(50_000 + number) for number in range(500)]


@pytest.fixture
def between_lock_and_look(monkeypatch: pytest.MonkeyPatch) -> Callable[[Callable[[], object]], None]:
    """Have something happen once, when a batch has locked what there is and has not yet read anything."""
    lock = conversations.lock_conversations

    def install(happens: Callable[[], object]) -> None:
        left = [happens]

        def locking(tx: Transaction, conversation_ids: Any) -> Any:
            locked = lock(tx, conversation_ids)
            while left:
                left.pop()()
            return locked

        monkeypatch.setattr(store_commands, "lock_conversations", locking)

    return install


def test_a_real_deadlock_is_lost_and_the_batch_runs_again(stage: Stage) -> None:
    stage.add_users(*HEAVY)
    stage.doors[0].apply(frame("a"), frame("b"))
    batch = [edit(1, "x"), react(1), frame("c"), read(3), recall(2)]
    outcomes: list[Any] = []
    pauses: list[float] = []

    class Loses(Database):
        def __init__(self, settings: MySqlSettings) -> None:
            super().__init__(settings, pause=pauses.append)

    door = stage.open_door(database_class=Loses)
    worker = threading.Thread(target=lambda: outcomes.append(door.apply(*batch)))
    place = (bytes.fromhex(CHAT), BOB)

    def meets_the_batch(tx: Transaction) -> None:
        # The heavier transaction survives: InnoDB rolls back the one that changed fewer rows.
        tx.execute("UPDATE users SET display_name = 'y' WHERE user_id IN %s", (tuple(HEAVY),))
        tx.execute(
            "UPDATE conversation_participants SET muted = TRUE WHERE conversation_id = %s AND user_id = %s", place
        )
        worker.start()
        wait_for_a_waiting_transaction(stage)
        tx.query("SELECT last_seq FROM conversations WHERE conversation_id = %s FOR UPDATE", place[:1])

    stage.doors[0].database.transaction(meets_the_batch)
    worker.join()
    (verdicts,) = outcomes
    assert len(pauses) == 1, "the batch has lost once"
    assert (verdicts.counts["stored"], verdicts.counts["changed"], verdicts.counts["marked"]) == (1, 3, 1)
    assert stage.rows("SELECT last_seq, last_change FROM conversations") == [(3, 3)]
    assert stage.rows("SELECT muted FROM conversation_participants WHERE user_id = %s", BOB) == [(1,)]


def test_a_message_that_came_over_the_other_door_a_moment_ago_is_known(
    stage: Stage, between_lock_and_look: Callable[[Callable[[], object]], None]
) -> None:
    stage.connect(BOB)
    rest = stage.open_door()
    between_lock_and_look(partial(rest.apply, frame("a")))
    verdicts = stage.doors[0].apply(frame("a"))
    assert (verdicts.counts["duplicate"], verdicts.failed) == (1, frozenset())
    assert stage.stored() == [(1, "a")]


def test_a_chat_that_the_other_one_began_a_moment_ago_takes_the_next_number(
    stage: Stage, between_lock_and_look: Callable[[Callable[[], object]], None]
) -> None:
    other = stage.open_door()
    between_lock_and_look(partial(other.apply, frame("theirs", sender=BOB, peer=ALICE)))
    verdicts = stage.doors[0].apply(frame("a"), frame("b"), read(1), edit(2, "x"))
    assert (verdicts.counts["stored"], verdicts.counts["marked"], verdicts.counts["changed"]) == (2, 1, 1)
    assert stage.stored() == [(1, "theirs"), (2, "a"), (3, "b")]
    assert stage.message(2).content == b'{"text":"x"}'
    assert stage.rows("SELECT COUNT(*) FROM conversation_participants") == [(2,)]


def test_a_chat_that_was_made_over_rest_a_moment_ago_is_the_one(
    stage: Stage, between_lock_and_look: Callable[[Callable[[], object]], None]
) -> None:
    other = stage.open_door()
    ports = ConversationPorts(database=other.database, announcer=other.announcer, clock=stage.clock)
    between_lock_and_look(partial(create_single_conversation, ports, BOB, ALICE))
    assert stage.doors[0].apply(frame("a"), frame("b")).counts["stored"] == 2
    assert stage.rows("SELECT last_seq, member_count FROM conversations") == [(2, 2)]
    assert stage.rows("SELECT user_id, sent_seq FROM conversation_participants ORDER BY user_id") == [
        (ALICE, 2),
        (BOB, 0),
    ]
    stage.check_all_announced()


def wait_for_a_waiting_transaction(stage: Stage) -> None:
    """Wait until some transaction waits for a lock."""
    deadline = time.monotonic() + 20
    watcher = stage.open_door().database
    while not watcher.read(
        lambda tx: tx.query("SELECT 1 FROM information_schema.innodb_trx WHERE trx_state = 'LOCK WAIT'")
    ):
        assert time.monotonic() < deadline
        # InnoDB makes this table anew only for whoever has not asked for 0.1 s.
        time.sleep(0.15)


def test_a_reply_to_what_one_cannot_see_is_refused(stage: Stage) -> None:
    door = stage.doors[0]
    door.apply(frame("a"), frame("b"))
    door.database.transaction(lambda tx: tx.execute("UPDATE conversations SET expired_seq = 1"))
    with pytest.raises(MessageNotFound):
        door.send_over_rest("c", reply_to_seq=1)
    assert door.send_over_rest("c", reply_to_seq=2).message.reply_to_seq == 2


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


@pytest.mark.parametrize("holds", ["messages", "message_reactions", "conversation_participants"])
def test_batches_of_other_conversations_wait_for_nobody(stage: Stage, holds: str) -> None:
    stage.add_users(*STRANGERS)
    group = stage.add_group(STRANGERS)
    door, other = stage.doors[0], stage.open_door()
    door.apply(
        frame("a"),
        react(1),
        act(command("m", conversation_id=group), sender=STRANGERS[0]),
        react(1, by=STRANGERS[1], chat=group),
    )

    def work(tx: Transaction) -> None:
        tx.query(f"SELECT 1 FROM {holds} WHERE conversation_id = %s FOR UPDATE", (bytes.fromhex(CHAT),))
        verdicts = other.apply(
            act(command("n", conversation_id=group), sender=STRANGERS[4]),
            edit(1, "x", by=STRANGERS[0], chat=group),
            react(1, "🎉", by=STRANGERS[2], chat=group),
            recall(1, by=STRANGERS[0], chat=group),
            read(2, by=STRANGERS[3], chat=group),
        )
        assert (verdicts.counts["stored"], verdicts.counts["changed"], verdicts.failed) == (1, 3, frozenset())

    door.database.transaction(work)
