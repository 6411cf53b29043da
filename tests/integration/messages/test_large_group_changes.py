"""What is done to large groups: when one becomes large, what it costs, who is told, what happens at the same time."""

import threading
from typing import Any

import msgspec
import pytest

from gochat_contracts.records import FanOutTask
from gochat_core.types import ConversationId, UserId
from gochat_repo.mysql import Transaction
from logic.groups.access_group import GroupScene
from logic.groups.add_group_members import add_group_members
from logic.groups.change_group import change_group
from logic.groups.create_group import CreatedGroup
from logic.groups.group_change import MEMBER_JOINED, GroupChange
from logic.groups.invitees import plan_joins
from logic.groups.remove_group_member import remove_group_member
from tests.integration.messages.frames import ALICE, act, command, frame
from tests.integration.messages.large_group_people import PEOPLE, begin, invitees, ports_of
from tests.integration.messages.stage import Stage
from tests.integration.messages.test_races import wait_for_a_waiting_transaction


@pytest.fixture
def many(stage: Stage) -> Stage:
    """Have 300 accounts more, and whatever was left behind looked for."""
    stage.add_users(*PEOPLE)
    stage.doors[0].apply(frame("elsewhere"))
    stage.producer.records.clear()
    return stage


def sizes(stage: Stage, group: ConversationId) -> tuple[bool, int, set[int]]:
    """Return whether it is large, its members, and what the rows of present members say."""
    key = bytes.fromhex(group)
    ((is_large, count),) = stage.rows(
        "SELECT is_large, member_count FROM conversations WHERE conversation_id = %s", key
    )
    rows = stage.rows(
        "SELECT DISTINCT is_large FROM conversation_participants WHERE conversation_id = %s AND left_seq IS NULL", key
    )
    return bool(is_large), count, {row[0] for row in rows}


def fan_outs(stage: Stage) -> list[FanOutTask]:
    return [one.task for one in stage.tasks() if isinstance(one.task, FanOutTask)]


def test_a_group_becomes_large_with_its_hundredth_member_and_stays_so(many: Stage) -> None:
    made = begin(many, *PEOPLE[:98])
    ports, group = ports_of(many.doors[0]), made.group
    assert sizes(many, group.conversation_id) == (False, 99, {0})
    many.connect(PEOPLE[0])
    many.doors[0].apply(act(command("a", conversation_id=group.conversation_id)))
    assert (len(many.told(PEOPLE[0], "message.new")), fan_outs(many)) == (1, [])
    many.producer.records.clear()

    many.clock.advance_ms(5)
    add_group_members(ports, ALICE, group.group_id, invitees(PEOPLE[98]))
    assert sizes(many, group.conversation_id) == (True, 100, {1})
    # Whoever was named is told at once; everybody else by the worker, of the joining itself too.
    (joining,) = fan_outs(many)
    assert ([one.seq for one in joining.messages], [one.event for one in joining.events]) == ([3], [MEMBER_JOINED])
    assert (joining.members_version, joining.events[0].at_seq) == (2, 3)

    remove_group_member(ports, ALICE, group.group_id, PEOPLE[5])
    assert sizes(many, group.conversation_id) == (True, 99, {1})
    ((left_is_large,),) = many.rows("SELECT is_large FROM conversation_participants WHERE left_seq IS NOT NULL")
    assert not left_is_large, "who has left is told by the time of leaving alone"
    add_group_members(ports, ALICE, group.group_id, invitees(PEOPLE[5]))
    assert sizes(many, group.conversation_id) == (True, 100, {1})
    many.check_all_announced()


def test_a_group_of_more_than_a_hundred_is_large_from_its_beginning(many: Stage) -> None:
    many.connect(PEOPLE[7])
    made = begin(many, *PEOPLE)
    assert sizes(many, made.group.conversation_id) == (True, 301, {1})
    assert made.seen.entry.own.unread_count == 0
    assert [one["conversation"]["unread_count"] for one in many.told(PEOPLE[7], "conversation.created")] == [1]
    assert [one["seq"] for one in many.told(PEOPLE[7], "group.invited")] == [1]
    (told,) = fan_outs(many)
    assert ([one.seq for one in told.messages], told.events) == ([1], ())
    assert create_again(many, *PEOPLE).group == made.group
    many.check_all_announced()


def create_again(stage: Stage, *members: UserId) -> CreatedGroup:
    return begin(stage, *members)


def test_the_hundredth_member_comes_while_messages_wait(many: Stage) -> None:
    made = begin(many, *PEOPLE[:98])
    group, door = made.group, many.open_door()
    many.producer.records.clear()
    verdicts: list[Any] = []
    batch = [act(command(name, conversation_id=group.conversation_id), sender=PEOPLE[0]) for name in "ab"]
    worker = threading.Thread(target=lambda: verdicts.append(door.apply(*batch)))
    ports = ports_of(many.doors[0])

    def plan(tx: Transaction, scene: GroupScene) -> GroupChange:
        worker.start()
        wait_for_a_waiting_transaction(many)
        joins = plan_joins(
            tx, ALICE, invitees(PEOPLE[98]), scene.members, room=1, contacts_only=False, now_ms=scene.now_ms
        )
        return GroupChange(
            group=msgspec.structs.replace(scene.group, member_count=100),
            event=MEMBER_JOINED,
            details={"user_ids": [str(PEOPLE[98])]},
            joins=joins,
        )

    change_group(ports, ALICE, group.group_id, plan, about=[PEOPLE[98]])
    worker.join()
    assert verdicts[0].counts["stored"] == 2
    told = sorted((one for one in fan_outs(many)), key=lambda one: one.messages[0].seq)
    assert [[message.seq for message in one.messages] for one in told] == [[2], [3, 4]]
    # Her row of before the group was large has not been moved, and she still has what the list and /sync need.
    moved = many.rows("SELECT user_id FROM conversation_participants WHERE sent_seq > 1")
    assert {row[0] for row in moved} == {ALICE, PEOPLE[0]}


def test_two_who_bring_in_the_hundredth_at_once_make_it_large_once(many: Stage) -> None:
    made = begin(many, *PEOPLE[:97])
    doors = [many.doors[0], many.open_door()]
    threads = [
        threading.Thread(
            target=add_group_members,
            args=(ports_of(door), who, made.group.group_id, invitees(*PEOPLE[at : at + 2])),
        )
        for door, who, at in zip(doors, (ALICE, PEOPLE[0]), (97, 98), strict=True)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sizes(many, made.group.conversation_id) == (True, 101, {1})
