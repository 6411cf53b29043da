import threading
import time
from collections.abc import Callable
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
from tests.integration.messages.stage import ALICE, BOB, CHAT, Stage, edit, frame, react, read, recall

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
