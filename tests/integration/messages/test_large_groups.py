"""Large groups at the doors of messages: what a batch costs, who is told by whom, what is decided without members."""

from typing import Any

import msgspec
import pytest

from gochat_contracts.records import FanOutTask, TaskRecord
from gochat_core.types import ConversationId, Seq, UserId
from gochat_repo.cached_conversations import MESSAGES
from gochat_repo.outbox import OVERDUE_MS
from gochat_repo.read_through import ReadThrough
from logic.announce.announcer import OVERDUE_CHECK_MS
from logic.conversations.get_conversation import access_conversation
from tests.fixtures.row_reads import row_reads
from tests.integration.messages.frames import (
    ALICE,
    BOB,
    CAROL,
    LAPTOP,
    PHONE,
    act,
    command,
    delivered,
    edit,
    frame,
    react,
    read,
    recall,
    typing,
)
from tests.integration.messages.stage import Stage

CROWD = [UserId(100_000 + number) for number in range(10_000)]
DAY_MS = 86_400_000


@pytest.fixture
def crowd(stage: Stage) -> ConversationId:
    """Alice, Bob and Carol are in a group of 10,003, and connected."""
    group = stage.add_group([ALICE, BOB, CAROL, *CROWD], is_large=True)
    for user in (ALICE, BOB, CAROL, CROWD[0]):
        stage.connect(user)
    stage.rows("ANALYZE TABLE conversation_participants, conversations, messages")
    stage.doors[0].apply(frame("elsewhere"))  # looks for what others left behind, once in a while
    stage.producer.records.clear()
    return group


def say(client_msg_id: str, group: ConversationId, *, by: UserId = ALICE, **more: Any) -> Any:
    return act(command(client_msg_id, conversation_id=group), sender=by, **more)


def fan_outs(stage: Stage) -> list[FanOutTask]:
    return [one.task for one in stage.tasks() if isinstance(one.task, FanOutTask)]


def told_seqs(fan_out: FanOutTask) -> list[int]:
    return [one.seq for one in fan_out.messages]


def moved(stage: Stage, group: ConversationId) -> list[UserId]:
    """Return whose rows of the group are no longer as they were made."""
    rows = stage.rows(
        "SELECT user_id FROM conversation_participants WHERE conversation_id = %s"
        " AND (activity_at_ms > 1 OR changed_at_ms > 0 OR read_seq + sent_seq + delivered_seq > 0) ORDER BY user_id",
        bytes.fromhex(group),
    )
    return [row[0] for row in rows]


def costs(stage: Stage, *records: Any) -> tuple[int, int]:
    """Return the rows that the stores hand out for a batch, and the database round trips."""
    door = stage.doors[0]
    before = door.database.round_trips
    reads = row_reads(door.database, lambda: door.apply(*records))
    return reads, door.database.round_trips - before


def test_a_message_to_ten_thousand_touches_no_more_rows_than_one_to_three(stage: Stage, crowd: ConversationId) -> None:
    few = stage.add_group([ALICE, BOB, CAROL])
    stage.doors[0].apply(say("w", few), say("w", crowd))
    small, large = costs(stage, say("a", few)), costs(stage, say("a", crowd))
    assert large[1] == small[1]
    assert large[0] <= small[0] + 10
    assert moved(stage, crowd) == [ALICE]
    assert stage.stored(crowd) == [(1, "w"), (2, "a")]


def test_a_batch_of_every_action_in_a_large_group_costs_what_it_does_in_a_small_one(
    stage: Stage, crowd: ConversationId
) -> None:
    few = stage.add_group([ALICE, BOB, CAROL])
    for group in (few, crowd):
        stage.doors[0].apply(*(say(f"m{number}", group) for number in range(4)))
    both = [
        costs(
            stage,
            say("x", group, by=BOB),
            recall(1, chat=group),
            edit(2, "new", chat=group),
            react(3, by=CAROL, chat=group),
            read(4, by=BOB, chat=group),
            delivered(4, by=CAROL, chat=group),
            typing(by=BOB, chat=group),
        )
        for group in (few, crowd)
    ]
    assert both[1][1] == both[0][1]
    assert both[1][0] <= both[0][0] + 30
    assert moved(stage, crowd) == [ALICE, BOB, CAROL]


def test_one_fan_out_tells_all_that_a_batch_says_and_the_members_are_not_named(
    stage: Stage, crowd: ConversationId
) -> None:
    stage.connect(ALICE, LAPTOP)
    door = stage.doors[0]
    door.apply(
        say("a", crowd), say("b", crowd, by=BOB), edit(1, "new", chat=crowd), react(1, by=BOB, chat=crowd), frame("z")
    )
    (fan_out,) = fan_outs(stage)
    assert fan_out.conversation_id == crowd
    assert [(one.seq, one.origin_device_id) for one in fan_out.messages] == [(1, PHONE), (2, PHONE)]
    assert [(one.event, one.at_seq, one.about_seq) for one in fan_out.events] == [
        ("message.edited", 2, 1),
        ("reaction", 2, 1),
    ]
    assert stage.told(CROWD[0], "message.new") == [], "left to the worker"
    assert [one["seq"] for one in stage.told(ALICE, "message.stored")] == [1, 2], "the single chat's, too"
    assert stage.told(BOB, "message.stored")[0]["seq"] == 2
    stage.check_all_announced()


def test_batches_of_many_conversations_make_a_fan_out_for_each_large_one(stage: Stage, crowd: ConversationId) -> None:
    other = stage.add_group([ALICE, BOB], is_large=True)
    stage.doors[0].apply(say("a", crowd), say("a", other), say("b", crowd), say("a", stage.add_group([ALICE, BOB])))
    assert {one.conversation_id: told_seqs(one) for one in fan_outs(stage)} == {crowd: [1, 2], other: [1]}
    assert [one["seq"] for one in stage.told(BOB, "message.new")] == [1], "the small one's"


def test_a_fan_out_too_large_for_a_record_is_cut_into_several(stage: Stage, crowd: ConversationId) -> None:
    text = "x" * 4_000
    stage.doors[0].apply(say("a", crowd))
    stage.producer.records.clear()
    stage.doors[0].apply(*(edit(1, f"{number}{text}", chat=crowd) for number in range(100)))
    cut = fan_outs(stage)
    assert len(cut) > 1
    assert [one.event for task in cut for one in task.events] == ["message.edited"] * 100
    assert all(len(record.value) < 1_000_000 for record in stage.producer.records)
    assert len({one.task_id for one in stage.tasks()}) == len(cut)


def test_nobody_hears_of_typing_and_of_reading_only_the_readers_own_devices(
    stage: Stage, crowd: ConversationId
) -> None:
    door = stage.doors[0]
    door.apply(say("a", crowd))
    stage.connect(BOB, LAPTOP)
    stage.producer.records.clear()
    door.apply(read(1, chat=crowd), delivered(1, by=CAROL, chat=crowd))
    # In one batch with others who act, and alone.
    door.apply(typing(by=BOB, chat=crowd), typing(by=CAROL, chat=crowd), say("b", crowd))
    door.apply(typing(by=BOB, chat=crowd), typing(by=CAROL, chat=crowd))
    assert [stage.told(user, "typing") for user in (ALICE, BOB, CAROL)] == [[], [], []]
    assert stage.told(ALICE, "receipt") == []
    assert stage.devices(BOB, "receipt") == [{LAPTOP}]


def test_outsiders_are_refused_and_who_has_left_is_one(stage: Stage, crowd: ConversationId) -> None:
    stage.doors[0].database.transaction(
        lambda tx: tx.execute("UPDATE conversation_participants SET left_seq = 1 WHERE user_id = %s", (CAROL,))
    )
    stage.add_users(CROWD[-1] + 1)
    for outsider in (CAROL, UserId(CROWD[-1] + 1)):
        verdicts = stage.doors[0].apply(
            say("a", crowd, by=outsider), react(1, by=outsider, chat=crowd), read(1, by=outsider, chat=crowd)
        )
        assert verdicts.rejected == {"conversation_not_found": 3}
        assert stage.doors[0].apply(typing(by=outsider, chat=crowd)).rejected == {"conversation_not_found": 1}


def give_role(stage: Stage, group: ConversationId, user_id: UserId, role: str) -> None:
    stage.doors[0].database.transaction(
        lambda tx: tx.execute(
            "INSERT INTO group_members (conversation_id, user_id, role, joined_at_ms) VALUES (%s, %s, %s, 1)",
            (bytes.fromhex(group), user_id, role),
        )
    )


def test_an_admin_takes_back_what_a_member_wrote_and_not_what_the_owner_did(
    stage: Stage, crowd: ConversationId
) -> None:
    for user, role in ((ALICE, "owner"), (BOB, "admin"), (CAROL, "member")):
        give_role(stage, crowd, user, role)
    door = stage.doors[0]
    door.apply(say("a", crowd), say("c", crowd, by=CAROL))
    later_ms = stage.clock.now_ms() + DAY_MS
    # The authors don't act in these batches: what they are must be looked up.
    assert door.apply(recall(1, by=BOB, chat=crowd, at_ms=later_ms)).rejected == {"forbidden": 1}
    assert door.apply(recall(2, by=BOB, chat=crowd, at_ms=later_ms)).rejected == {}
    assert door.apply(recall(1, by=CAROL, chat=crowd)).rejected == {"forbidden": 1}
    assert [bool(stage.message(seq, crowd).recalled_at_ms) for seq in (1, 2)] == [False, True]


def test_muted_members_and_ended_groups_are_refused(stage: Stage, crowd: ConversationId) -> None:
    give_role(stage, crowd, ALICE, "owner")
    give_role(stage, crowd, BOB, "member")
    database, door = stage.doors[0].database, stage.doors[0]
    database.transaction(lambda tx: tx.execute("UPDATE `groups` SET muted_all = TRUE"))
    assert door.apply(say("a", crowd), say("b", crowd, by=BOB)).rejected == {"muted": 1}
    database.transaction(lambda tx: tx.execute("UPDATE `groups` SET dissolved_at_ms = 1"))
    assert door.apply(say("c", crowd)).rejected == {"group_dissolved": 1}


def test_a_resend_is_answered_and_told_again_only_if_it_may_not_have_been(stage: Stage, crowd: ConversationId) -> None:
    door = stage.doors[0]
    door.apply(say("a", crowd))
    stage.check_all_announced()
    assert door.apply(say("a", crowd)).counts["duplicate"] == 1
    assert len(fan_outs(stage)) == 1
    stage.producer.available = False
    assert door.apply(say("b", crowd), edit(1, "new", chat=crowd)).failed == frozenset({0, 1})
    stage.producer.available = True
    stage.producer.records.clear()
    door.apply(say("b", crowd), edit(1, "new", chat=crowd))
    (again,) = fan_outs(stage)
    assert (told_seqs(again), [one.event for one in again.events]) == ([2], ["message.edited"])
    assert [one["seq"] for one in stage.told(ALICE, "message.stored")] == [2]
    stage.check_all_announced()


def lose(stage: Stage, *records: Any) -> list[TaskRecord]:
    """Apply a batch whose announcement is written and not known to be; return the tasks that were written."""
    stage.producer.records.clear()
    stage.producer.fail_after = 1_000_000
    assert stage.doors[0].apply(*records).failed
    return stage.tasks()


def test_a_redrive_writes_the_same_task_as_the_batch_did(stage: Stage, crowd: ConversationId) -> None:
    stage.doors[0].apply(say("a", crowd))
    (lost,) = lose(stage, say("b", crowd), say("c", crowd, by=BOB), edit(1, "new", chat=crowd))
    stage.producer.records.clear()
    stage.clock.advance_ms(OVERDUE_MS + OVERDUE_CHECK_MS)
    stage.doors[0].apply(frame("later"))
    (again,) = [one for one in stage.tasks() if isinstance(one.task, FanOutTask)]
    assert again.task_id == lost.task_id
    assert without_circumstances(again.task) == without_circumstances(lost.task)
    stage.check_all_announced()


def without_circumstances(task: Any) -> FanOutTask:
    """Leave out when and through whom it came to be said."""

    def strip(said: Any) -> Any:
        return tuple(msgspec.structs.replace(one, accepted_at_ms=None, trace=None) for one in said)

    stripped: FanOutTask = msgspec.structs.replace(task, messages=strip(task.messages), events=strip(task.events))
    return stripped


def test_who_is_told_of_an_old_change_is_decided_by_when_it_was_stored(stage: Stage, crowd: ConversationId) -> None:
    door = stage.doors[0]
    door.apply(say("a", crowd))
    lose(stage, edit(1, "new", chat=crowd))
    door.apply(say("b", crowd), say("c", crowd))
    stage.producer.records.clear()
    stage.clock.advance_ms(OVERDUE_MS + OVERDUE_CHECK_MS)
    door.apply(frame("later"))
    (again,) = fan_outs(stage)
    assert [(one.event, one.at_seq, one.about_seq) for one in again.events] == [("message.edited", 1, 1)]


def test_the_messages_of_a_fan_out_are_in_the_cache_for_the_worker(stage: Stage, crowd: ConversationId) -> None:
    door = stage.doors[0]
    door.apply(say("a", crowd))
    before = door.database.round_trips
    ((found),) = ReadThrough(door.database, door.cache).get_each([(MESSAGES, {(crowd, Seq(1))})])
    assert [one.client_msg_id for one in found.values()] == ["a"]
    assert door.database.round_trips == before


def test_unread_counts_of_those_who_were_not_touched_are_exact(stage: Stage, crowd: ConversationId) -> None:
    door = stage.doors[0]
    door.apply(say("a", crowd), say("b", crowd, by=BOB), say("c", crowd))

    def unread(user_id: UserId) -> int:
        return access_conversation(door.database, user_id, crowd).entry.own.unread_count

    assert [unread(user) for user in (ALICE, BOB, CROWD[0])] == [0, 1, 3]
    door.apply(read(2, by=CROWD[0], chat=crowd))
    assert unread(CROWD[0]) == 1
