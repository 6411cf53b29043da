"""Messages past retention lose their content and nothing else: numbers, once-only and everybody's counts hold."""

from concurrent.futures import Future, ThreadPoolExecutor

import pytest

from gochat_core.ids import single_conversation_id
from gochat_core.types import UserId
from gochat_repo import retention as store
from gochat_repo.conversations import lock_conversations
from gochat_repo.mysql import Transaction
from gochat_repo.retention import Retention
from logic.messages.list_messages import list_messages
from task.sweep.message_retention import LONGEST_ROUND_MS, RetentionSweep
from tests.integration.messages.frames import ALICE, BOB, CAROL, CHAT, act, command, frame
from tests.integration.messages.stage import Stage
from tests.integration.sweeps.conftest import DAY_MS, in_time, too_late

KEPT_MS = 30 * DAY_MS


@pytest.fixture
def sweep(stage: Stage) -> RetentionSweep:
    return RetentionSweep(retention=Retention(stage.doors[0].database), clock=stage.clock, retention_ms=KEPT_MS)


def send(stage: Stage, *client_msg_ids: str, sender: UserId = ALICE, peer: UserId = BOB) -> None:
    for client_msg_id in client_msg_ids:
        assert not stage.doors[0].apply(frame(client_msg_id, sender=sender, peer=peer)).failed


def contents(stage: Stage) -> list[str]:
    return [row[0] for row in stage.rows("SELECT content FROM messages ORDER BY conversation_id, seq")]


def floor_seq(stage: Stage) -> int:
    return int(
        stage.rows("SELECT expired_seq FROM conversations WHERE conversation_id = %s", bytes.fromhex(CHAT))[0][0]
    )


def test_content_goes_when_its_time_is_over_and_not_before(stage: Stage, sweep: RetentionSweep) -> None:
    send(stage, "a", "b")
    stage.clock.advance_ms(KEPT_MS)
    send(stage, "c")
    assert sweep.expire_messages(in_time(stage)) == {"MessagesExpired": 0}
    stage.clock.advance_ms(LONGEST_ROUND_MS)
    assert sweep.expire_messages(in_time(stage)) == {"MessagesExpired": 2}
    assert contents(stage) == ["{}", "{}", '{"text":"hello"}']
    assert floor_seq(stage) == 2


def test_a_large_group_forgets_without_touching_a_row_for_each_member(stage: Stage, sweep: RetentionSweep) -> None:
    group = stage.add_group([ALICE, BOB, CAROL], is_large=True)
    assert not stage.doors[0].apply(act(command("a", conversation_id=group))).failed
    stage.clock.advance_ms(KEPT_MS + 1)
    before = stage.rows("SELECT user_id, changed_at_ms FROM conversation_participants ORDER BY user_id")
    assert sweep.expire_messages(in_time(stage)) == {"MessagesExpired": 1}
    assert stage.rows("SELECT user_id, changed_at_ms FROM conversation_participants ORDER BY user_id") == before
    assert stage.rows("SELECT updated_at_ms FROM conversations") == [(stage.clock.now_ms(),)]


def test_history_ends_at_the_floor_and_numbers_go_on(stage: Stage, sweep: RetentionSweep) -> None:
    send(stage, "a", "b")
    stage.clock.advance_ms(KEPT_MS + 1)
    sweep.expire_messages(in_time(stage))
    send(stage, "c")
    page = list_messages(stage.doors[0].database, BOB, CHAT, before_seq=None, after_seq=0, limit=10)
    assert [message.seq for message in page.messages] == [3]
    ((last_seq, read_seq),) = stage.rows(
        "SELECT c.last_seq, p.read_seq FROM conversations c JOIN conversation_participants p"
        " ON p.conversation_id = c.conversation_id WHERE p.user_id = %s",
        BOB,
    )
    assert (last_seq, read_seq) == (3, 0)


def test_a_message_that_expired_is_still_known_when_it_is_sent_again(stage: Stage, sweep: RetentionSweep) -> None:
    send(stage, "a")
    stage.clock.advance_ms(KEPT_MS + 1)
    sweep.expire_messages(in_time(stage))
    send(stage, "a")
    assert stage.stored() == [(1, "a")]


def test_members_learn_by_sync_that_their_counts_changed(stage: Stage, sweep: RetentionSweep) -> None:
    send(stage, "a")
    stage.clock.advance_ms(KEPT_MS + 1)
    sweep.expire_messages(in_time(stage))
    changed = stage.rows("SELECT changed_at_ms FROM conversation_participants")
    assert changed == [(stage.clock.now_ms(),)] * 2


def test_a_round_goes_on_where_the_last_sweep_stopped(
    stage: Stage, sweep: RetentionSweep, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(store, "PAGE", 1)
    monkeypatch.setattr(store, "EMPTIED_AT_ONCE", 2)
    monkeypatch.setattr("task.sweep.message_retention.EMPTIED_AT_ONCE", 2)
    send(stage, "a", "b", "c", "d", "e")
    send(stage, "f", peer=CAROL)
    stage.clock.advance_ms(KEPT_MS + 1)
    assert sweep.expire_messages(too_late(stage)) == {"MessagesExpired": 0}
    assert sweep.expire_messages(in_time(stage)) == {"MessagesExpired": 6}
    assert set(contents(stage)) == {"{}"}
    # Two conversations on pages of one: the end is found by an empty page, and the next round waits for its time.
    send(stage, "g", peer=CAROL)
    stage.clock.advance_ms(KEPT_MS + 1)
    assert sweep.expire_messages(in_time(stage)) == {"MessagesExpired": 1}


def test_two_sweeps_at_once_expire_a_message_once(stage: Stage, sweep: RetentionSweep) -> None:
    send(stage, "a", "b")
    now_ms = stage.clock.now_ms() + KEPT_MS
    due_ms = stage.clock.now_ms() + 1
    first = sweep.retention.expire(CHAT, created_before_ms=due_ms, now_ms=now_ms)
    second = sweep.retention.expire(CHAT, created_before_ms=due_ms, now_ms=now_ms)
    assert (first, second) == (2, 0)


def test_a_round_begins_an_hour_after_the_last_one(stage: Stage, sweep: RetentionSweep) -> None:
    sweep.expire_messages(in_time(stage))
    before = stage.doors[0].database.round_trips
    sweep.expire_messages(in_time(stage))
    assert stage.doors[0].database.round_trips - before == 1, "the position alone is read"
    stage.clock.advance_ms(LONGEST_ROUND_MS)
    before = stage.doors[0].database.round_trips
    sweep.expire_messages(in_time(stage))
    assert stage.doors[0].database.round_trips - before > 1


def test_reactions_go_with_their_message(stage: Stage, sweep: RetentionSweep) -> None:
    send(stage, "a")
    key = bytes.fromhex(single_conversation_id(ALICE, BOB))
    stage.doors[0].database.transaction(
        lambda tx: tx.execute(
            "INSERT INTO message_reactions (conversation_id, seq, emoji, user_id, reacted_change, is_removed)"
            " VALUES (%s, 1, 'x', %s, 1, FALSE)",
            (key, BOB),
        )
    )
    stage.clock.advance_ms(KEPT_MS + 1)
    sweep.expire_messages(in_time(stage))
    assert stage.rows("SELECT * FROM message_reactions") == []


def test_expiring_waits_for_whoever_holds_the_conversation(stage: Stage, sweep: RetentionSweep) -> None:
    send(stage, "a")
    due_ms = stage.clock.now_ms() + 1
    other = stage.open_door()

    def mutate(tx: Transaction) -> int:
        lock_conversations(tx, [CHAT])
        waiting = pool.submit(sweep.retention.expire, CHAT, created_before_ms=due_ms, now_ms=due_ms)
        with pytest.raises(TimeoutError):
            waiting.result(timeout=0.3)
        tx.execute("UPDATE messages SET content = 'edited', last_change = 1")
        results.append(waiting)
        return 0

    results: list[Future[int]] = []
    with ThreadPoolExecutor(max_workers=1) as pool:
        other.database.transaction(mutate)
        assert results[0].result(timeout=10) == 1
    assert contents(stage) == ["{}"], "what came before is emptied too"
