from typing import Any

import pytest

from tests.integration.rest.conftest import Rest
from tests.integration.rest.contact_people import Person, log_in, outcome


@pytest.fixture
def people(rest: Rest) -> list[Person]:
    """Log three people in."""
    return log_in(rest, "alice", "bob", "carol")


def paged(who: Person, path: str, name: str, limit: int) -> list[Any]:
    found, cursor = [], None
    while True:
        page = who.send("GET", f"{path}?limit={limit}" + (f"&cursor={cursor}" if cursor else "")).json
        found.append(page[name])
        cursor = page["next_cursor"]
        if cursor is None:
            return found


@pytest.fixture
def crowd(rest: Rest) -> list[Person]:
    """Log in Alice and five more; she is friends with two, was asked by one, asked one, has blocked one."""
    people = log_in(rest, "alice", *("p1", "p2", "p3", "p4", "p5"))
    alice, friend, other_friend, suitor, target, foe = people
    alice.befriend(friend)
    other_friend.befriend(alice)
    suitor.ask(alice)
    alice.ask(target)
    alice.block(foe)
    return people


@pytest.mark.parametrize("limit", [1, 2, 3, 4, 100])
def test_requests_are_paged_newest_first_in_both_directions(crowd: list[Person], limit: int) -> None:
    alice, friend, other_friend, suitor, target, _ = crowd
    pages = paged(alice, "/friends/requests", "requests", limit)
    expected = [target, suitor, other_friend, friend]
    assert [one["user"] for page in pages for one in page] == [one.user for one in expected]
    assert all(len(page) == limit for page in pages[:-1])
    directions = [one["direction"] for page in pages for one in page]
    assert directions == ["outgoing", "incoming", "incoming", "outgoing"]


@pytest.mark.parametrize("limit", [1, 2, 100])
def test_friends_and_blocks_are_paged_newest_first(crowd: list[Person], limit: int) -> None:
    alice, friend, other_friend, suitor, _, foe = crowd
    friends = [one["user"] for page in paged(alice, "/friends", "friends", limit) for one in page]
    assert friends == [other_friend.user, friend.user]
    alice.block(suitor)
    blocked = [one for page in paged(alice, "/blocks", "users", limit) for one in page]
    assert blocked == [suitor.user, foe.user]


def test_a_page_is_full_though_accounts_on_it_were_erased(rest: Rest) -> None:
    alice, *others = log_in(rest, "alice", *(f"p{number}" for number in range(6)))
    for one in others:
        alice.befriend(one)
    for one in others[1:5]:
        one.send("DELETE", "/users/me")
    standing = [others[5].user, others[0].user]
    assert [one["user"] for one in alice.send("GET", "/friends?limit=2").json["friends"]] == standing
    assert [one["user"] for one in alice.send("GET", "/friends/requests?limit=2").json["requests"]] == standing
    assert alice.send("GET", "/friends?limit=2").json["next_cursor"] is None


@pytest.mark.parametrize("path", ["/friends", "/friends/requests", "/blocks"])
@pytest.mark.parametrize(
    ("query", "field"),
    [
        ("limit=0", "limit"),
        ("limit=101", "limit"),
        ("limit=x", "limit"),
        ("cursor=nonsense", "cursor"),
        ("cursor=", "cursor"),
    ],
)
def test_a_malformed_page_is_refused(people: list[Person], path: str, query: str, field: str) -> None:
    answer = people[0].send("GET", f"{path}?{query}")
    assert (outcome(answer), answer.fields) == ((400, "invalid_request"), [field])


def test_no_list_takes_the_cursor_of_another(crowd: list[Person]) -> None:
    alice = crowd[0]
    cursor = alice.send("GET", "/friends?limit=1").json["next_cursor"]
    assert cursor
    for path in ("/friends/requests", "/blocks", "/conversations"):
        assert alice.send("GET", f"{path}?cursor={cursor}").fields == ["cursor"]
