"""What several do in one group at the same instant, each at a door of their own."""

import dataclasses

import pytest

from tests.integration.rest.conftest import Rest, build_rest, build_rpc
from tests.integration.rest.contact_people import Person, outcome
from tests.integration.rest.group_people import SIZES, Gang, make_gang, sized, told
from tests.integration.rest.test_contact_races import at_once

ROUNDS = 6


@pytest.fixture(params=SIZES)
def rest(rest: Rest, request: pytest.FixtureRequest) -> Rest:
    """Open a door; whatever holds in a small group holds in a large one."""
    return sized(rest, request.param)


@pytest.fixture
def gang(rest: Rest) -> Gang:
    """Let Alice, Bob and Carol come in by doors of their own."""
    gang = make_gang(rest)

    def at_own_door(who: Person) -> Person:
        return dataclasses.replace(who, rest=build_rest(build_rpc(rest.rpc.environ, rest.secret), rest.secret))

    return dataclasses.replace(
        gang, alice=at_own_door(gang.alice), bob=at_own_door(gang.bob), carol=at_own_door(gang.carol)
    )


def seqs(gang: Gang, who: Person) -> list[int]:
    """Return the seqs that somebody can read."""
    return [one["seq"] for one in gang.history(who)]


def test_an_owner_who_hands_over_twice_at_once_leaves_one_owner(gang: Gang) -> None:
    answers = at_once(lambda: gang.transfer(gang.alice, gang.bob), lambda: gang.transfer(gang.alice, gang.carol))
    assert sorted(outcome(one) for one in answers) == [(200, ""), (403, "forbidden")]
    roles = gang.roles()
    assert sorted(roles.values()) == ["admin", "member", "owner"]
    assert roles[gang.shown()["owner_id"]] == "owner"


def test_an_invitation_and_a_removal_at_once_end_in_one_of_the_two_orders(gang: Gang) -> None:
    for _ in range(ROUNDS):
        answers = at_once(lambda: gang.invite(gang.carol, gang.bob), lambda: gang.remove(gang.alice, gang.bob))
        assert [one.status for one in answers] == [200, 204]
        is_member = gang.bob.user_id in gang.roles()
        assert gang.shown()["member_count"] == len(gang.roles()) == (3 if is_member else 2)
        assert outcome(gang.bob.send("GET", gang.url))[0] == (200 if is_member else 404)
        gang.invite(gang.carol, gang.bob)
    read = seqs(gang, gang.alice)
    assert read == list(range(1, len(read) + 1))


def test_nothing_stored_after_a_removal_reaches_who_was_removed(gang: Gang) -> None:
    gang.bob.rest.connect(gang.bob.login)
    for number in range(ROUNDS):
        last = gang.seen(gang.alice)["last_seq"]
        removed, said, own = at_once(
            lambda: gang.remove(gang.alice, gang.bob),
            lambda number=number: gang.say(gang.carol, f"m{number}"),  # type: ignore[misc]
            lambda number=number: gang.say(gang.bob, f"m{number}"),  # type: ignore[misc]
        )
        assert (removed.status, said.status) == (204, 201)
        assert outcome(own) in ((201, ""), (404, "conversation_not_found"))
        behind = gang.say(gang.carol, f"after{number}").json["message"]["seq"]
        history = gang.history(gang.alice)
        (leaving,) = [
            one["seq"] for one in history if one["seq"] > last and one["content"].get("event") == "group.member_left"
        ]
        got = [
            data["seq"]
            for door in (gang.alice, gang.carol, gang.bob)
            for event, data in told(dataclasses.replace(gang.bob, rest=door.rest))
            if event == "message.new" and data["seq"] > last
        ]
        assert all(seq < leaving for seq in got), (got, leaving)
        assert [
            one["seq"] for one in history if last < one["seq"] < leaving and one["sender_id"] != gang.bob.user_id
        ] == [seq for seq in sorted(set(got)) if history[seq - 1]["sender_id"] != gang.bob.user_id]
        assert leaving < behind
        assert gang.invite(gang.alice, gang.bob).status == 200


def test_a_message_and_the_end_of_its_group_at_once_are_stored_in_that_order_or_refused(gang: Gang) -> None:
    said, ended = at_once(lambda: gang.say(gang.bob, "m1"), lambda: gang.dissolve(gang.alice))
    assert ended.status == 204
    assert outcome(said) in ((201, ""), (409, "group_dissolved"))
    assert gang.history(gang.carol)[-1]["content"]["event"] == "group.dissolved"


def test_two_invitations_for_one_place_fill_it_once(rest: Rest) -> None:
    gang = make_gang(rest)
    environ = rest.rpc.environ | {"GOCHAT_MAX_GROUP_MEMBERS": "4"}
    one, other = (build_rest(build_rpc(environ, rest.secret), rest.secret) for _ in range(2))
    erin = dataclasses.replace(gang.dave, rest=rest, user=rest.register("erin"))
    alice, bob = dataclasses.replace(gang.alice, rest=one), dataclasses.replace(gang.bob, rest=other)
    answers = at_once(lambda: gang.invite(alice, gang.dave), lambda: gang.invite(bob, erin))
    assert sorted(outcome(one) for one in answers) == [(200, ""), (409, "group_full")]
    assert gang.shown()["member_count"] == len(gang.roles()) == 4


def test_who_leaves_twice_at_once_has_left_once(gang: Gang) -> None:
    answers = at_once(lambda: gang.remove(gang.bob, gang.bob), lambda: gang.remove(gang.alice, gang.bob))
    assert [one.status for one in answers] == [204, 204]
    assert gang.shown()["member_count"] == 2
    assert seqs(gang, gang.alice) == [1, 2]
