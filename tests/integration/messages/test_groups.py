"""A group's members over the upstream topic, while somebody is removed over REST."""

import threading
from typing import Any

import pytest

from gochat_core.ids import IdMaker
from gochat_core.types import GroupId, UserId
from gochat_repo.mysql import Transaction
from logic.groups.access_group import GroupScene
from logic.groups.change_group import change_group
from logic.groups.create_group import CreatedGroup, NewGroup, create_group
from logic.groups.dissolve_group import plan_dissolution
from logic.groups.group_change import GroupChange
from logic.groups.invitees import read_invitees
from logic.groups.ports import GroupPorts
from logic.groups.remove_group_member import plan_removal, remove_group_member
from logic.groups.update_group import GroupEdit, update_group
from tests.integration.messages.frames import ALICE, BOB, CAROL, act, command, frame
from tests.integration.messages.stage import Door, Stage
from tests.integration.messages.test_races import wait_for_a_waiting_transaction


def ports_of(door: Door) -> GroupPorts:
    """Return what REST's use cases stand on, in this container."""
    return GroupPorts(
        database=door.database,
        announcer=door.announcer,
        clock=door.clock,
        ids=IdMaker(door.clock),
        max_members=99,
        large_members=100,
    )


@pytest.fixture
def made(stage: Stage) -> CreatedGroup:
    """Let Alice make a group with Bob and Carol, who are connected."""
    new = NewGroup(
        name="Friday",
        avatar_url=None,
        announcement=None,
        invitees=read_invitees("member_ids", [str(BOB), str(CAROL)]),
    )
    made = create_group(ports_of(stage.doors[0]), ALICE, new, random=b"r" * 16)
    for user_id in (ALICE, BOB, CAROL):
        stage.connect(user_id)
    stage.producer.records.clear()
    return made


def in_the_middle(stage: Stage, group_id: GroupId, plan: Any, *records: Any, about: tuple[UserId, ...] = ()) -> Any:
    """Let a batch arrive while an act holds the group, and return what became of the batch."""
    verdicts: list[Any] = []
    door = stage.open_door()
    worker = threading.Thread(target=lambda: verdicts.append(door.apply(*records)))

    def planning(_: Transaction, scene: GroupScene) -> GroupChange | None:
        if not worker.ident:
            worker.start()
            wait_for_a_waiting_transaction(stage)
        change: GroupChange | None = plan(scene)
        return change

    change_group(ports_of(stage.doors[0]), ALICE, group_id, planning, about=about)
    worker.join()
    return verdicts[0]


def test_a_batch_that_waits_for_a_removal_is_decided_behind_it(stage: Stage, made: CreatedGroup) -> None:
    chat = made.group.conversation_id
    verdicts = in_the_middle(
        stage,
        made.group.group_id,
        lambda scene: plan_removal(scene, BOB),
        act(command("b1", conversation_id=chat), sender=BOB),
        act(command("c1", conversation_id=chat), sender=CAROL),
        about=(BOB,),
    )
    assert (verdicts.counts["stored"], verdicts.rejected) == (1, {"conversation_not_found": 1})
    assert [text for _, text in stage.stored(chat)][2:] == ["c1"]
    assert stage.told(BOB, "message.new") == []
    assert [one["user_ids"] for one in stage.told(BOB, "group.member_left")] == [[str(BOB)]]
    assert [one["seq"] for one in stage.told(ALICE, "message.new")] in ([2, 3], [3, 2])
    stage.check_all_announced()


def test_a_batch_that_waits_for_the_end_of_its_group_is_refused(stage: Stage, made: CreatedGroup) -> None:
    said = [act(command("m", conversation_id=made.group.conversation_id), sender=who) for who in (ALICE, BOB)]
    verdicts = in_the_middle(stage, made.group.group_id, plan_dissolution, *said)
    assert verdicts.rejected == {"group_dissolved": 2}
    assert [one["code"] for one in stage.told(BOB, "message.rejected")] == ["group_dissolved"]


def test_a_group_of_ninety_nine_costs_as_many_round_trips_as_one_of_three(stage: Stage) -> None:
    many = [UserId(20_000 + number) for number in range(98)]
    stage.add_users(*many)
    ports = ports_of(stage.doors[0])
    stage.doors[0].apply(frame("a"))  # looks for what others left behind, once in a while
    costs = []
    for number, invited in enumerate((many[:2], many)):
        before = ports.database.round_trips
        invitees = read_invitees("member_ids", [str(one) for one in invited])
        new = NewGroup(name="x", avatar_url=None, announcement=None, invitees=invitees)
        made = create_group(ports, ALICE, new, random=bytes([number]) * 16)
        update_group(ports, ALICE, made.group.group_id, GroupEdit(name="y"))
        remove_group_member(ports, ALICE, made.group.group_id, many[0])
        assert made.group.member_count == len(invited) + 1
        assert stage.doors[0].apply(act(command("m", conversation_id=made.group.conversation_id))).counts["stored"] == 1
        costs.append(ports.database.round_trips - before)
    assert costs[0] == costs[1] <= 60
    assert stage.rows("SELECT COUNT(*) FROM group_members") == [(2 + 98,)]
    stage.check_all_announced()
