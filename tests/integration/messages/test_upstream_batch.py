from typing import Any

import pytest

from gochat_contracts.records import OfflineTask
from gochat_core.errors import ClientMsgIdConflict
from gochat_core.ids import single_conversation_id
from gochat_core.types import Seq, UserId
from gochat_repo.mysql import Database
from gochat_repo.outbox import OVERDUE_MS
from local_stage.services.redis import RedisCluster
from logic.announce.announcer import OVERDUE_CHECK_MS
from logic.pipeline.store_commands import CommandStore, StoredBatch
from tests.integration.messages.conftest import flush
from tests.integration.messages.frames import ALICE, BOB, CAROL, CHAT, LAPTOP, PHONE, frame, incoming, pairs
from tests.integration.messages.stage import Stage


@pytest.fixture
def batch_of_100() -> list[Any]:
    """Two messages in each of fifty chats."""
    return [frame(f"m{n}", sender=one, peer=other) for one, other in pairs(50) for n in (1, 2)]


def test_a_batch_is_numbered_stored_and_announced(stage: Stage) -> None:
    stage.connect(ALICE, PHONE)
    stage.connect(ALICE, LAPTOP)
    stage.connect(BOB)
    verdicts = stage.doors[0].apply(frame("a"), frame("b", sender=BOB, peer=ALICE, text="hi"), frame("c"))
    assert verdicts.failed == frozenset()
    assert verdicts.counts["stored"] == 3
    assert stage.stored() == [(1, "a"), (2, "b"), (3, "c")]
    assert [one["client_msg_id"] for one in stage.told(ALICE, "message.stored")] == ["a", "c"]
    assert [(one["seq"], one["content"]) for one in stage.told(BOB, "message.new")] == [
        (1, {"text": "hello"}),
        (3, {"text": "hello"}),
    ]
    assert [one["seq"] for one in stage.told(ALICE, "message.new")] == [1, 2, 3]
    assert stage.devices(ALICE, "message.new") == [{LAPTOP}, {PHONE, LAPTOP}, {LAPTOP}], "not to the sending phone"
    stage.check_all_announced()


def test_cursors_move_with_the_messages(stage: Stage) -> None:
    stage.doors[0].apply(frame("a"), frame("b"), frame("c", sender=BOB, peer=ALICE))
    assert stage.rows("SELECT last_seq FROM conversations") == [(3,)]
    assert stage.rows("SELECT user_id, sent_seq, read_seq FROM conversation_participants ORDER BY user_id") == [
        (ALICE, 2, 0),
        (BOB, 3, 0),
    ]
    now_ms = stage.clock.now_ms()
    assert stage.rows("SELECT DISTINCT activity_at_ms FROM conversation_participants") == [(now_ms,)]


def test_a_redelivered_batch_stores_nothing_and_answers_again(stage: Stage) -> None:
    stage.connect(ALICE)
    stage.connect(BOB)
    records = [frame("a"), frame("b")]
    stage.doors[0].apply(*records)
    verdicts = stage.open_door().apply(*records)
    assert verdicts.counts["duplicate"] == 2
    assert stage.stored() == [(1, "a"), (2, "b")]
    first, second = stage.told(ALICE, "message.stored")[:2], stage.told(ALICE, "message.stored")[2:]
    assert first == second
    assert [one["seq"] for one in stage.told(BOB, "message.new")] == [1, 2], "heard of once"


def test_refusals_reach_the_sending_device_and_harm_nobody(stage: Stage) -> None:
    stage.connect(ALICE)
    stage.doors[0].apply(frame("a"))
    nobody = UserId(404)
    verdicts = stage.doors[0].apply(
        frame("a", text="other"), frame("b", peer=nobody), frame("c"), frame("d", peer=CAROL, names_peer=False)
    )
    assert verdicts.rejected == {"client_msg_id_conflict": 1, "user_not_found": 1, "conversation_not_found": 1}
    assert [(one["client_msg_id"], one["code"]) for one in stage.told(ALICE, "message.rejected")] == [
        ("a", "client_msg_id_conflict"),
        ("b", "user_not_found"),
        ("d", "conversation_not_found"),
    ]
    assert stage.stored() == [(1, "a"), (2, "c")]
    assert stage.dead_letters() == []


def test_unreadable_records_go_to_the_dead_letters_and_the_others_on(stage: Stage) -> None:
    broken = incoming(b'{"v":1}')
    verdicts = stage.doors[0].apply(broken, frame("a"), incoming(None), incoming(b'{"v":2,"frame_id":"x"}'))
    assert verdicts.failed == frozenset()
    assert stage.stored() == [(1, "a")]
    assert [(letter.offset, letter.reason) for letter in stage.dead_letters()][:1] == [(broken.offset, "unreadable")]
    assert len(stage.dead_letters()) == 3


def test_content_that_is_not_utf8_is_unreadable(stage: Stage) -> None:
    good = frame("a")
    assert good.value is not None
    stage.doors[0].apply(incoming(good.value.replace(b"hello", b"hell\xff")), good)
    assert stage.stored() == [(1, "a")]
    assert [letter.reason for letter in stage.dead_letters()] == ["unreadable"]


def test_one_message_that_cannot_be_stored_is_found_by_halving(stage: Stage) -> None:
    stage.connect(ALICE)
    records = [frame(f"m{n}", type_="x" * 17 if n == 5 else "text") for n in range(9)]
    verdicts = stage.doors[0].apply(*records)
    assert verdicts.counts["stored"] == 8
    assert [client_msg_id for _, client_msg_id in stage.stored()] == [f"m{n}" for n in range(9) if n != 5]
    assert [seq for seq, _ in stage.stored()] == list(range(1, 9)), "no gap"
    assert [(one["client_msg_id"], one["code"]) for one in stage.told(ALICE, "message.rejected")] == [
        ("m5", "internal_error")
    ]
    (letter,) = stage.dead_letters()
    assert (letter.offset, letter.reason) == (records[5].offset, "bad_data")


def test_members_without_a_connection_take_the_offline_path(stage: Stage) -> None:
    stage.connect(ALICE)
    stage.doors[0].apply(frame("a"), frame("b"))
    (task,) = stage.tasks()
    assert task.task == OfflineTask(conversation_id=CHAT, seqs=(Seq(1), Seq(2)), user_ids=(BOB,))


def test_a_client_that_connects_between_commit_and_look_up_gets_the_message(stage: Stage) -> None:
    class ConnectsBobAfterTheCommit(CommandStore):
        def store_each(self, submissions: Any) -> StoredBatch:
            batch = super().store_each(submissions)
            stage.connect(BOB)
            return batch

    stage.doors[0].connections.find([ALICE, BOB])  # the cache says: offline
    stage.open_door(store_class=ConnectsBobAfterTheCommit).apply(frame("a"))
    assert [one["seq"] for one in stage.told(BOB, "message.new")] == [1]
    assert stage.tasks() == []


def test_a_reconnected_device_gets_its_answer_on_the_connection_it_has_now(stage: Stage) -> None:
    stage.connect(ALICE)
    stage.doors[0].apply(frame("a"))
    (item,) = stage.items(ALICE, "message.stored")
    assert item.to is None
    record = next(one for one in stage.producer.records if one.key == str(ALICE).encode())
    assert b"1-phone=" in record.value
    assert b"at-that-time" not in record.value


def test_while_the_broker_is_away_everything_comes_again_and_is_announced_once(stage: Stage) -> None:
    stage.connect(ALICE)
    stage.connect(BOB)
    records = [frame("a"), frame("b")]
    stage.producer.available = False
    assert stage.doors[0].apply(*records).failed == {0, 1}
    assert stage.outbox() == 3, "two messages, and the chat that began"
    stage.producer.available = True
    assert stage.doors[0].apply(*records).failed == frozenset()
    assert stage.stored() == [(1, "a"), (2, "b")]
    assert [one["seq"] for one in stage.told(BOB, "message.new")] == [1, 2]
    assert [one["seq"] for one in stage.told(ALICE, "message.stored")] == [1, 2]
    stage.check_all_announced()


def test_what_another_container_left_unannounced_is_announced_by_the_next_writer(stage: Stage) -> None:
    stage.connect(BOB)
    door, other = stage.open_door(), stage.open_door()
    stage.producer.available = False
    door.apply(frame("lost", device=PHONE))
    stage.producer.available = True
    stage.clock.advance_ms(OVERDUE_MS - 1)
    other.apply(frame("soon", sender=CAROL, peer=ALICE))
    assert stage.told(BOB, "message.new") == [], "it may still be under way"
    stage.clock.advance_ms(OVERDUE_CHECK_MS + 1)
    other.apply(frame("later", sender=CAROL, peer=ALICE))
    assert [one["client_msg_id"] for one in stage.told(BOB, "message.new")] == ["lost"]
    stage.check_all_announced()


def test_the_next_writer_looks_for_what_others_left_only_now_and_then(stage: Stage) -> None:
    door = stage.open_door()
    door.apply(frame("warm"))
    plain = trips(door.database, lambda: door.apply(frame("b")))
    stage.clock.advance_ms(OVERDUE_CHECK_MS)
    assert trips(door.database, lambda: door.apply(frame("c"))) == plain + 1
    assert trips(door.database, lambda: door.apply(frame("d"))) == plain


@pytest.mark.needs_redis
def test_a_hundred_messages_cost_eight_database_and_four_cache_round_trips(
    stage: Stage, batch_of_100: list[Any]
) -> None:
    stage.add_users(*(user for pair in pairs(50) for user in pair))
    door = stage.doors[0]
    door.apply(frame("warm"))
    before = door.cache.round_trips
    cold = [trips(door.database, lambda: door.apply(*batch_of_100)), door.cache.round_trips - before]
    assert cold[0] <= 10, "the chats begin with this batch, and the cache knows nobody"
    assert cold[1] <= 4
    again = [frame(f"n{n}", sender=one, peer=other) for one, other in pairs(50) for n in (1, 2)]
    before = door.cache.round_trips
    assert trips(door.database, lambda: door.apply(*again)) <= 8
    assert door.cache.round_trips - before <= 4
    assert stage.rows("SELECT COUNT(*), MAX(seq) FROM messages") == [(201, 4)]


def test_with_an_empty_cache_a_hundred_messages_still_cost_eight_and_four(
    stage: Stage, redis_cluster: RedisCluster, batch_of_100: list[Any]
) -> None:
    stage.add_users(*(user for pair in pairs(50) for user in pair))
    door = stage.doors[0]
    door.apply(*batch_of_100)
    flush(redis_cluster)
    again = [frame(f"n{n}", sender=one, peer=other) for one, other in pairs(50) for n in (1, 2)]
    before = door.cache.round_trips
    assert trips(door.database, lambda: door.apply(*again)) <= 8
    assert door.cache.round_trips - before <= 4


@pytest.mark.needs_redis
@pytest.mark.parametrize("size", [1, 30, 400])
def test_round_trips_do_not_grow_with_the_batch(stage: Stage, size: int) -> None:
    stage.add_users(*(user for pair in pairs(50) for user in pair))
    door = stage.doors[0]
    chats = list(pairs(min(size, 50)))
    door.apply(*(frame("first", sender=one, peer=other) for one, other in chats))
    records = [frame(f"m{n}", sender=chats[n % len(chats)][0], peer=chats[n % len(chats)][1]) for n in range(size)]
    before = door.cache.round_trips
    assert trips(door.database, lambda: door.apply(*records)) == 7
    assert door.cache.round_trips - before == 1


def test_both_doors_agree_on_what_a_message_is(stage: Stage) -> None:
    stage.connect(ALICE)
    door = stage.doors[0]
    door.apply(frame("a"))
    again = door.send_over_rest("a")
    assert (again.is_new, again.message.seq) == (False, 1)
    with pytest.raises(ClientMsgIdConflict):
        door.send_over_rest("a", text="other")
    new = door.send_over_rest("b")
    assert (new.is_new, new.message.seq) == (True, 2)
    assert door.apply(frame("b")).counts["duplicate"] == 1
    assert door.apply(frame("b", text="other")).rejected == {"client_msg_id_conflict": 1}
    assert stage.stored() == [(1, "a"), (2, "b")]


def test_a_rest_message_reaches_all_devices_of_both(stage: Stage) -> None:
    stage.connect(ALICE, PHONE)
    stage.connect(BOB)
    door = stage.doors[0]
    door.apply(frame("a"))
    sent = door.send_over_rest("b")
    assert [one["message_id"] for one in stage.told(BOB, "message.new")][1:] == [str(sent.message.message_id)]
    assert [one["seq"] for one in stage.told(ALICE, "message.new")] == [2]
    stage.check_all_announced()


def test_dedupe_and_the_outbox_use_their_unique_keys(stage: Stage) -> None:
    door = stage.doors[0]
    chats = list(pairs(20))
    stage.add_users(*(user for pair in chats for user in pair))
    door.apply(*(frame(f"m{n}", sender=one, peer=other) for one, other in chats for n in range(20)))
    stage.rows("ANALYZE TABLE messages, conversations, conversation_participants")
    keys = tuple((bytes.fromhex(single_conversation_id(one, other)), one, "m7") for one, other in chats)
    plan = stage.rows("EXPLAIN SELECT seq FROM messages WHERE (conversation_id, sender_id, client_msg_id) IN %s", keys)
    assert [(row[3], row[5], row[8]) for row in plan] == [("range", "messages_client_msg_id", "20")]


def trips(database: Database, work: Any) -> int:
    """Return how many database round trips a piece of work took."""
    before = database.round_trips
    work()
    return database.round_trips - before
