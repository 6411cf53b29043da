"""What is refused of groups: bad names, unknown people, people who don't want to come, roles that may not."""

import pytest

from tests.fakes.http_api import HttpAnswer
from tests.integration.rest.conftest import Rest, build_rest, build_rpc
from tests.integration.rest.contact_people import Person, log_in, outcome
from tests.integration.rest.group_people import SIZES, Gang, create, make_gang, sized

BAD_NAMES: list[object] = ["", "   ", "\u3000", "x" * 101, "x" * 1_000, "two\nlines", "null\x00", "\u200b", 5, None]


@pytest.fixture(params=SIZES)
def rest(rest: Rest, request: pytest.FixtureRequest) -> Rest:
    """Open a door; whatever holds in a small group holds in a large one."""
    return sized(rest, request.param)


@pytest.fixture
def gang(rest: Rest) -> Gang:
    """Let Alice make a group with Bob and Carol; Dave stays outside."""
    return make_gang(rest)


def faults(answer: HttpAnswer) -> list[str]:
    """Return the fields that a refusal names."""
    return [one["field"] for one in answer.json["errors"]]


def test_a_bad_name_is_refused_at_both_doors(gang: Gang) -> None:
    for name in BAD_NAMES:
        for answer in (create(gang.alice, name=name), gang.edit(gang.alice, name=name)):
            assert (outcome(answer), faults(answer)) == ((400, "invalid_request"), ["name"]), name


def test_names_of_emoji_and_of_a_hundred_characters_are_names(gang: Gang) -> None:
    for name in ("🎉", "👨‍👩‍👧", "é" * 100, "  \u00a0Ω\u00a0  "):
        assert gang.edit(gang.alice, name=name).json["group"]["name"] == name.strip()


def test_unknown_users_are_refused_by_their_place_and_nothing_is_made(gang: Gang) -> None:
    alice, bob = gang.alice, gang.bob
    erased = log_in(alice.rest, "erin")[0]
    assert erased.send("DELETE", "/users/me").status == 204
    named = ["1", bob.user_id, "nonsense", erased.user_id, "-5", "99999999999999999999"]
    before = len(alice.chats())
    for field, answer in (
        ("member_ids", alice.send("POST", "/groups/create", {"name": "x", "member_ids": named})),
        ("user_ids", alice.send("POST", f"{gang.url}/members", {"user_ids": named})),
    ):
        assert outcome(answer) == (404, "user_not_found")
        assert faults(answer) == [f"{field}.{index}" for index in (0, 2, 3, 4, 5)]
    assert len(alice.chats()) == before
    assert gang.shown()["member_count"] == 3


def test_who_has_blocked_the_inviter_does_not_come(gang: Gang) -> None:
    gang.dave.block(gang.alice)
    answer = gang.invite(gang.alice, gang.bob, gang.dave)
    assert (outcome(answer), faults(answer)) == ((403, "blocked"), ["user_ids.1"])
    answer = create(gang.alice, gang.bob, gang.dave)
    assert (outcome(answer), faults(answer)) == ((403, "blocked"), ["member_ids.1"])
    assert gang.invite(gang.bob, gang.dave).status == 200


def test_where_friends_alone_may_write_they_alone_are_brought_in(rest: Rest) -> None:
    environ = rest.rpc.environ | {"GOCHAT_CONTACTS_ONLY": "true"}
    strict = build_rest(build_rpc(environ, rest.secret), rest.secret)
    alice, bob, carol = log_in(strict, "alice", "bob", "carol")
    alice.befriend(bob)
    answer = create(alice, bob, carol)
    assert (outcome(answer), faults(answer)) == ((403, "not_friends"), ["member_ids.1"])
    assert create(alice, bob).status == 201


def test_a_group_has_so_many_members_and_no_more(rest: Rest) -> None:
    environ = rest.rpc.environ | {"GOCHAT_MAX_GROUP_MEMBERS": "3"}
    small = build_rest(build_rpc(environ, rest.secret), rest.secret)
    alice, bob, carol, dave = log_in(small, "alice", "bob", "carol", "dave")
    assert outcome(create(alice, bob, carol, dave)) == (409, "group_full")
    group = create(alice, bob, carol).json["group"]
    invited = alice.send("POST", f"/groups/{group['group_id']}/members", {"user_ids": [dave.user_id]})
    assert outcome(invited) == (409, "group_full")
    again = alice.send("POST", f"/groups/{group['group_id']}/members", {"user_ids": [bob.user_id, alice.user_id]})
    assert again.status == 200
    assert outcome(alice.send("POST", "/groups/create", {"name": "x", "member_ids": ["1"] * 501})) == (
        400,
        "invalid_request",
    )


def test_each_role_may_what_the_table_says_over_rest(gang: Gang) -> None:
    alice, bob, carol = gang.alice, gang.bob, gang.carol
    gang.set_member(alice, bob, role="admin")
    gang.invite(alice, gang.dave)

    def refused(*answers: HttpAnswer) -> bool:
        return [outcome(one) for one in answers] == [(403, "forbidden")] * len(answers)

    assert refused(gang.edit(carol, name="x"), gang.edit(carol, muted_all=True), gang.remove(carol, gang.dave))
    assert refused(gang.set_member(carol, gang.dave, role="admin"), gang.transfer(carol, carol), gang.dissolve(carol))
    assert refused(gang.remove(bob, alice), gang.set_member(bob, carol, role="admin"), gang.dissolve(bob))
    assert refused(gang.set_member(bob, alice, muted_until=None), gang.transfer(bob, bob))
    assert refused(gang.remove(alice, alice), gang.set_member(alice, alice, role="member"), gang.transfer(alice, alice))
    assert gang.edit(bob, name="x").status == 200
    assert gang.set_member(bob, carol, muted_until="2999-01-01T00:00:00Z").status == 200
    assert gang.remove(bob, gang.dave).status == 204


def test_what_names_no_member_is_refused_or_done_already(gang: Gang) -> None:
    dave: Person = gang.dave
    assert outcome(gang.set_member(gang.alice, dave, role="admin")) == (404, "user_not_found")
    assert outcome(gang.transfer(gang.alice, dave)) == (404, "user_not_found")
    assert gang.remove(gang.alice, dave).status == 204
    assert outcome(gang.remove(gang.bob, dave)) == (403, "forbidden")
    assert outcome(gang.alice.send("DELETE", f"{gang.url}/members/nonsense")) == (404, "user_not_found")


def test_bad_bodies_are_refused_by_their_fields(gang: Gang) -> None:
    alice = gang.alice
    for body, field in (
        ({"role": "owner"}, "role"),
        ({"role": 5}, "role"),
        ({"muted_until": "tomorrow"}, "muted_until"),
        ({"muted_until": "2999-01-01T00:00:00"}, "muted_until"),
        ({"muted_until": 5}, "muted_until"),
    ):
        answer = alice.send("PATCH", f"{gang.url}/members/{gang.bob.user_id}", body)
        assert (outcome(answer), faults(answer)) == ((400, "invalid_request"), [field]), body
    assert gang.set_member(alice, gang.bob, muted_until="9999-12-31T23:59:59-14:00").status == 200
    for body, field in (
        ({"avatar_url": "javascript:x"}, "avatar_url"),
        ({"announcement": "x" * 2_001}, "announcement"),
        ({"announcement": "\x00"}, "announcement"),
        ({"muted_all": "yes"}, "muted_all"),
    ):
        answer = alice.send("PATCH", gang.url, body)
        assert (outcome(answer), faults(answer)) == ((400, "invalid_request"), [field]), body
    assert faults(alice.send("POST", f"{gang.url}/members", {"user_ids": []})) == ["user_ids"]
    assert faults(alice.send("GET", f"{gang.url}/members?cursor=x")) == ["cursor"]
