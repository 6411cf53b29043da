"""What members' devices are told of their groups, and what a container that died leaves to the next one."""

import dataclasses
from typing import Any

import pytest

from tests.flows.frame_contract import check_frames
from tests.integration.rest.conftest import Rest, build_rest, build_rpc
from tests.integration.rest.contact_people import Person
from tests.integration.rest.group_people import SIZES, Gang, forget, make_gang, sized, told

E = {"created": "conversation.created", "new": "message.new"}


@pytest.fixture(params=SIZES)
def rest(rest: Rest, request: pytest.FixtureRequest) -> Rest:
    """Open a door; whatever holds in a small group holds in a large one."""
    return sized(rest, request.param)


@pytest.fixture
def gang(rest: Rest) -> Gang:
    """Let all four be connected, and Alice make a group of three."""
    gang = make_gang(rest)
    for one in gang.everybody():
        rest.connect(one.login)
    forget(gang.alice)
    return gang


def take(gang: Gang, *people: Person) -> list[list[tuple[str, Any]]]:
    """Take what was told since the last time, for each; every frame as the document has it."""
    found = [told(one) for one in people]
    check_frames(
        {"event": event, "data": {"messages": [data]} if event == E["new"] else data}
        for one in found
        for event, data in one
    )
    forget(gang.alice)
    return found


def names(found: list[list[tuple[str, Any]]]) -> list[list[str]]:
    """Return the events alone."""
    return [[event for event, _ in one] for one in found]


def test_who_is_named_at_a_creation_is_invited_and_gets_the_conversation(gang: Gang) -> None:
    answer = gang.alice.send("POST", "/groups/create", {"name": "New", "member_ids": [gang.dave.user_id]})
    alice, dave = take(gang, gang.alice, gang.dave)
    assert [sorted(one) for one in names([alice, dave])] == [
        [E["created"], E["new"]],
        [E["created"], "group.invited", E["new"]],
    ]
    assert names([alice, dave])[1][0] == E["created"]
    assert dict(alice)[E["created"]]["conversation"] == answer.json["conversation"]
    assert dict(dave)["group.invited"] == {"group": answer.json["group"], "seq": 1, "inviter_id": gang.alice.user_id}


def test_all_members_hear_of_who_joins_and_the_newcomer_gets_the_conversation(gang: Gang) -> None:
    gang.invite(gang.bob, gang.dave)
    bob, carol, dave = take(gang, gang.bob, gang.carol, gang.dave)
    assert names([bob, carol]) == [[E["new"], "group.member_joined"]] * 2
    assert sorted(names([dave])[0]) == sorted([E["created"], E["new"], "group.member_joined", "group.invited"])
    assert carol[1][1] == {
        "group": gang.shown(),
        "seq": 2,
        "actor_id": gang.bob.user_id,
        "user_ids": [gang.dave.user_id],
    }
    assert dict(dave)[E["created"]] == {"conversation": gang.seen(gang.dave)}


def test_who_is_removed_hears_of_it_and_of_nothing_more(gang: Gang) -> None:
    gang.remove(gang.alice, gang.bob)
    alice, bob = take(gang, gang.alice, gang.bob)
    assert names([alice, bob]) == [[E["new"], "group.member_left"], ["group.member_left"]]
    assert bob[0][1]["user_ids"] == [gang.bob.user_id]
    gang.say(gang.carol, "m1")
    gang.edit(gang.alice, name="Other")
    assert names(take(gang, gang.bob, gang.carol)) == [[], [E["new"], E["new"], "group.updated"]]


def test_changes_of_the_group_and_of_members_are_told(gang: Gang) -> None:
    gang.edit(gang.alice, name="Other")
    ((event, data),) = [one for one in take(gang, gang.carol)[0] if one[0] != E["new"]]
    assert (event, data["changed"], data["group"]) == ("group.updated", ["name"], gang.shown())
    gang.set_member(gang.alice, gang.bob, role="admin", muted_until="2999-01-01T00:00:00Z")
    data = dict(take(gang, gang.carol)[0])["group.updated"]
    assert data["changed"] == ["role", "muted_until"]
    assert data["member"] == {
        "user_id": gang.bob.user_id,
        "role": "admin",
        "muted_until": "2999-01-01T00:00:00.000Z",
    }
    gang.transfer(gang.alice, gang.bob)
    data = dict(take(gang, gang.carol)[0])["group.updated"]
    assert (data["changed"], data["group"]["owner_id"]) == (["owner_id"], gang.bob.user_id)
    gang.dissolve(gang.bob)
    assert names(take(gang, gang.carol)) == [[E["new"], "group.dissolved"]]


def test_what_changes_nothing_is_told_to_nobody(gang: Gang) -> None:
    gang.edit(gang.alice, name="Friday")
    gang.invite(gang.alice, gang.bob)
    gang.remove(gang.alice, gang.dave)
    gang.set_member(gang.alice, gang.bob, role="member", muted_until=None)
    assert take(gang, gang.alice, gang.bob) == [[], []]
    assert gang.seen(gang.alice)["last_seq"] == 1


def test_what_could_not_be_told_of_a_group_is_told_later(gang: Gang, rest: Rest) -> None:
    rest.rpc.producer.available = False
    assert gang.invite(gang.alice, gang.dave).status == 200
    rest.rpc.producer.available = True
    assert take(gang, gang.bob, gang.dave) == [[], []]
    rest.rpc.database.transaction(lambda tx: tx.execute("UPDATE outbox SET created_at_ms = 0"))
    # A container that is new looks for what others left behind with the first message that it announces.
    other = build_rest(build_rpc(rest.rpc.environ, rest.secret), rest.secret)
    assert gang.say(dataclasses.replace(gang.carol, rest=other), "m1").status == 201
    bob, dave = (told(dataclasses.replace(one, rest=other)) for one in (gang.bob, gang.dave))
    assert sorted(event for event, _ in bob) == ["group.member_joined", E["new"], E["new"]]
    assert sorted({event for event, _ in dave}) == [E["created"], "group.invited", "group.member_joined", E["new"]]
    assert not rest.rpc.database.read(lambda tx: tx.query("SELECT 1 FROM outbox WHERE kind = 'group'"))
