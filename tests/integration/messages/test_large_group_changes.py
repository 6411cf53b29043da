"""What is done to large groups: when one becomes large, what it costs, who is told, what happens at the same time."""

import threading
from collections.abc import Callable
from typing import Any

import msgspec
import pytest

from gochat_contracts.records import FanOutTask
from gochat_core.ids import IdMaker
from gochat_core.types import ConversationId, GroupId, UserId
from gochat_repo.acquaintances import get_acquaintances
from gochat_repo.group_members import find_heir
from gochat_repo.mysql import Transaction
from gochat_repo.retention import Retention
from logic.conversations.get_conversation import access_conversation
from logic.conversations.hide_conversation import hide_conversation
from logic.conversations.list_conversations import list_conversations
from logic.conversations.ports import ConversationPorts
from logic.conversations.update_conversation import update_conversation
from logic.groups.access_group import GroupScene
from logic.groups.add_group_members import add_group_members
from logic.groups.change_group import change_group
from logic.groups.create_group import CreatedGroup, NewGroup, create_group
from logic.groups.dissolve_group import dissolve_group
from logic.groups.group_change import MEMBER_JOINED, GroupChange
from logic.groups.invitees import plan_joins, read_invitees
from logic.groups.leave_every_group import leave_every_group
from logic.groups.list_group_members import list_group_members
from logic.groups.ports import GroupPorts
from logic.groups.remove_group_member import remove_group_member
from logic.groups.update_group import GroupEdit, update_group
from logic.groups.update_group_member import MemberEdit, update_group_member
from tests.fixtures.row_reads import row_reads
from tests.integration.messages.frames import ALICE, BOB, CAROL, act, command, frame
from tests.integration.messages.stage import Door, Stage
from tests.integration.messages.test_races import wait_for_a_waiting_transaction

PEOPLE = [UserId(30_000 + number) for number in range(300)]
CROWD = [UserId(100_000 + number) for number in range(10_000)]


def ports_of(door: Door, *, large_members: int = 100) -> GroupPorts:
    return GroupPorts(
        database=door.database,
        announcer=door.announcer,
        clock=door.clock,
        ids=IdMaker(door.clock),
        max_members=100_000,
        large_members=large_members,
    )


def invitees(*user_ids: UserId) -> Any:
    return read_invitees("user_ids", [str(one) for one in user_ids])


def begin(stage: Stage, *members: UserId, random: bytes = b"r" * 16) -> CreatedGroup:
    """Let Alice make a group."""
    new = NewGroup(name="Friday", avatar_url=None, announcement=None, invitees=invitees(*members))
    return create_group(ports_of(stage.doors[0]), ALICE, new, random=random)


@pytest.fixture
def many(stage: Stage) -> Stage:
    """Have 300 accounts more, and whatever was left behind looked for."""
    stage.add_users(*PEOPLE)
    stage.doors[0].apply(frame("elsewhere"))
    stage.producer.records.clear()
    return stage


@pytest.fixture
def huge(many: Stage) -> CreatedGroup:
    """Have a group of Alice and 10,300 others."""
    made = begin(many, *PEOPLE)
    key = bytes.fromhex(made.group.conversation_id)

    def work(tx: Transaction) -> None:
        for start in range(0, len(CROWD), 2_000):
            part = CROWD[start : start + 2_000]
            tx.execute_rows(
                "INSERT INTO conversation_participants (conversation_id, user_id, activity_at_ms, is_large) VALUES",
                [(key, user, 1, True) for user in part],
            )
            tx.execute_rows(
                "INSERT INTO group_members (conversation_id, user_id, role, joined_at_ms) VALUES",
                [(key, user, "member", 1_000_000 + user) for user in part],
            )
            tx.execute_rows(
                "INSERT INTO users (user_id, username, display_name, created_at_ms) VALUES",
                [(user, f"user{user}", "User", 1) for user in part],
            )
        tx.execute(
            "UPDATE conversations SET member_count = member_count + %s WHERE conversation_id = %s", (len(CROWD), key)
        )

    many.doors[0].database.transaction(work)
    many.rows("ANALYZE TABLE conversation_participants, conversations, group_members, users")
    many.producer.records.clear()
    return made


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


def test_no_act_costs_more_in_a_group_of_ten_thousand_than_in_one_of_a_few(many: Stage, huge: CreatedGroup) -> None:
    door = many.doors[0]
    ports, chats = ports_of(door), ConversationPorts(database=door.database, announcer=door.announcer, clock=door.clock)
    few = begin(many, BOB, CAROL, PEOPLE[0], random=b"f" * 16)

    def acts(group: GroupId, chat: ConversationId) -> list[Callable[[], object]]:
        return [
            lambda: add_group_members(ports, ALICE, group, invitees(PEOPLE[1], UserId(99))),
            lambda: update_group(ports, ALICE, group, GroupEdit(name="Other", muted_all=True)),
            lambda: update_group_member(ports, ALICE, group, PEOPLE[0], MemberEdit(role="admin")),
            lambda: remove_group_member(ports, ALICE, group, UserId(99)),
            lambda: list_group_members(door.database, ALICE, group, limit=3, cursor=None),
            lambda: update_conversation(chats, ALICE, chat, is_muted=True, is_pinned=None),
            lambda: access_conversation(door.database, ALICE, chat),
            lambda: hide_conversation(chats, ALICE, chat),
            lambda: remove_group_member(ports, PEOPLE[0], group, PEOPLE[0]),
            lambda: dissolve_group(ports, ALICE, group),
        ]

    many.add_users(UserId(99))
    costs = []
    for made in (few, huge):
        before = door.database.round_trips
        reads = [row_reads(door.database, one) for one in acts(made.group.group_id, made.group.conversation_id)]
        costs.append((reads, door.database.round_trips - before))
    (small, small_trips), (large, large_trips) = costs
    assert large_trips <= small_trips
    assert all(more <= less + 20 for less, more in zip(small, large, strict=True)), (small, large)


def test_members_are_listed_in_pages_each_once(many: Stage, huge: CreatedGroup) -> None:
    database = many.doors[0].database
    found: list[UserId] = []
    cursor: str | None = None
    while True:
        page = list_group_members(database, ALICE, huge.group.group_id, limit=1_000, cursor=cursor)
        found += [one.user_id for one in page.members]
        if (cursor := page.next_cursor) is None:
            break
    assert found == sorted({ALICE, *PEOPLE, *CROWD})


def test_who_inherits_a_large_group_is_found_without_reading_its_members(many: Stage, huge: CreatedGroup) -> None:
    database, group = many.doors[0].database, huge.group

    def heir() -> UserId | None:
        found = database.read(lambda tx: find_heir(tx, group.conversation_id, ALICE))
        return None if found is None else found.user_id

    assert heir() == CROWD[0], "the one who has been a member longest"
    assert row_reads(database, heir) < 20
    update_group_member(ports_of(many.doors[0]), ALICE, group.group_id, CROWD[77], MemberEdit(role="admin"))
    assert heir() == CROWD[77]
    leave_every_group(ports_of(many.doors[0]), ALICE)
    ((owner, role),) = many.rows(
        "SELECT g.owner_id, m.role FROM `groups` g JOIN group_members m ON m.user_id = g.owner_id"
    )
    assert (owner, role) == (CROWD[77], "owner")


def test_who_may_see_whose_presence_is_found_without_reading_the_members(many: Stage, huge: CreatedGroup) -> None:
    database = many.doors[0].database
    asked = [PEOPLE[0], CROWD[5], BOB]

    def known() -> list[UserId]:
        return database.read(lambda tx: get_acquaintances(tx, ALICE, asked))

    assert known() == asked, "Bob by the single chat"
    assert row_reads(database, known) < 60


def test_messages_of_a_large_group_expire_without_touching_members(many: Stage, huge: CreatedGroup) -> None:
    group = huge.group.conversation_id
    retention = Retention(many.doors[0].database)
    many.clock.advance_ms(1_000)
    now_ms = many.clock.now_ms()
    assert retention.expire(group, created_before_ms=now_ms, now_ms=now_ms) == 1
    ((updated_at_ms, expired_seq),) = many.rows(
        "SELECT updated_at_ms, expired_seq FROM conversations WHERE conversation_id = %s", bytes.fromhex(group)
    )
    assert (updated_at_ms, expired_seq) == (now_ms, 1)
    assert many.rows("SELECT COUNT(*) FROM conversation_participants WHERE changed_at_ms >= %s", now_ms) == [(0,)]
    assert access_conversation(many.doors[0].database, CROWD[0], group).entry.own.unread_count == 0


def test_large_and_small_conversations_are_listed_by_their_last_messages(many: Stage) -> None:
    door = many.doors[0]
    groups = [
        begin(many, *(PEOPLE if number % 2 else PEOPLE[:2]), random=bytes([number]) * 16).group.conversation_id
        for number in range(6)
    ]
    order: list[ConversationId] = []
    for number in (3, 0, 5, 1, 4, 2, 3):
        many.clock.advance_ms(10)
        door.apply(act(command(f"m{len(order)}", conversation_id=groups[number]), sender=PEOPLE[1]))
        order = [one for one in order if one != groups[number]] + [groups[number]]
    many.clock.advance_ms(10)
    # Whatever else moves a conversation doesn't move it in the list.
    update_group_member(ports_of(door), ALICE, GroupId(group_of(many, groups[0])), PEOPLE[0], MemberEdit(role="admin"))
    order = [one for one in order if one != groups[0]] + [groups[0]]  # but for what a message tells
    found: list[ConversationId] = []
    cursor: str | None = None
    while True:
        page = list_conversations(door.database, PEOPLE[0], limit=2, cursor=cursor)
        found += [one.conversation_id for one in page.entries]
        if (cursor := page.next_cursor) is None:
            break
    assert found == order[::-1]
    hide_conversation(
        ConversationPorts(database=door.database, announcer=door.announcer, clock=door.clock), PEOPLE[0], groups[3]
    )
    listed = list_conversations(door.database, PEOPLE[0], limit=10, cursor=None)
    assert [one.conversation_id for one in listed.entries] == [one for one in order[::-1] if one != groups[3]]


def group_of(stage: Stage, conversation_id: ConversationId) -> int:
    """Return the id of a conversation's group."""
    return int(
        stage.rows("SELECT group_id FROM `groups` WHERE conversation_id = %s", bytes.fromhex(conversation_id))[0][0]
    )
