"""What is done in a group of ten thousand costs what it does in one of a few; lists and sweeps too."""

from collections.abc import Callable

import pytest

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
from logic.groups.add_group_members import add_group_members
from logic.groups.create_group import CreatedGroup
from logic.groups.dissolve_group import dissolve_group
from logic.groups.leave_every_group import leave_every_group
from logic.groups.list_group_members import list_group_members
from logic.groups.remove_group_member import remove_group_member
from logic.groups.update_group import GroupEdit, update_group
from logic.groups.update_group_member import MemberEdit, update_group_member
from tests.fixtures.row_reads import row_reads
from tests.integration.messages.frames import ALICE, BOB, CAROL, act, command, frame
from tests.integration.messages.large_group_people import PEOPLE, begin, invitees, ports_of
from tests.integration.messages.stage import Stage

CROWD = [UserId(100_000 + number) for number in range(10_000)]


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
