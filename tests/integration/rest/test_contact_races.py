import dataclasses
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import partial

import pytest

from tests.fakes.http_api import HttpAnswer
from tests.integration.rest.conftest import Rest, build_rest, build_rpc
from tests.integration.rest.contact_people import Person, log_in

ROUNDS = 8


@pytest.fixture
def doors(rest: Rest) -> list[Rest]:
    """Open two doors with containers of their own."""
    return [build_rest(build_rpc(rest.rpc.environ, rest.secret), rest.secret) for _ in range(2)]


@pytest.fixture
def pair(rest: Rest, doors: list[Rest]) -> list[Person]:
    """Log Alice and Bob in, each at a door of their own."""
    return [dataclasses.replace(one, rest=door) for one, door in zip(log_in(rest, "alice", "bob"), doors, strict=True)]


def at_once(*calls: Callable[[], HttpAnswer]) -> list[HttpAnswer]:
    """Make calls at the same instant; none may end in anything but an answer."""
    start = threading.Barrier(len(calls))

    def run(call: Callable[[], HttpAnswer]) -> HttpAnswer:
        start.wait()
        return call()

    with ThreadPoolExecutor(len(calls)) as pool:
        answers = list(pool.map(run, calls))
    assert all(answer.status < 500 for answer in answers), [answer.text for answer in answers]
    return answers


def part(alice: Person, bob: Person) -> None:
    """Make the two strangers again, but for the requests that were decided."""
    alice.send("DELETE", f"/friends/{bob.user_id}")
    alice.unblock(bob)
    bob.unblock(alice)


def test_two_requests_that_cross_make_friends_once(pair: list[Person]) -> None:
    alice, bob = pair
    for number in range(1, ROUNDS + 1):
        answers = at_once(lambda: alice.ask(bob), lambda: bob.ask(alice))
        assert sorted(answer.status for answer in answers) == [200, 201]
        assert [one["status"] for one in alice.requests()] == ["accepted"] * number
        assert (len(alice.friends()), len(bob.friends())) == (1, 1)
        part(alice, bob)
    assert alice.chats() == bob.chats() == [alice.chat_with(bob)]


def test_an_acceptance_that_comes_twice_at_once_makes_friends_once(pair: list[Person], doors: list[Rest]) -> None:
    alice, bob = pair
    second_bob = dataclasses.replace(bob, rest=doors[0])
    for _ in range(ROUNDS):
        request_id = alice.ask(bob).json["request"]["request_id"]
        first, second = at_once(*(partial(one.answer, request_id, "accept") for one in (bob, second_bob)))
        assert first.json == second.json
        assert (alice.friend_names(), bob.friend_names()) == ([bob.user["username"]], [alice.user["username"]])
        part(alice, bob)
    assert alice.chats() == [alice.chat_with(bob)]


def test_of_yes_and_no_at_once_one_is_the_answer(pair: list[Person], doors: list[Rest]) -> None:
    alice, bob = pair
    second_bob = dataclasses.replace(bob, rest=doors[0])
    for _ in range(ROUNDS):
        request_id = alice.ask(bob).json["request"]["request_id"]
        answers = at_once(partial(bob.answer, request_id, "accept"), partial(second_bob.answer, request_id, "reject"))
        assert sorted(answer.status for answer in answers) == [200, 409]
        accepted = answers[0].status == 200
        assert alice.requests()[0]["status"] == ("accepted" if accepted else "rejected")
        assert len(alice.friends()) == len(bob.friends()) == int(accepted)
        part(alice, bob)


def test_an_acceptance_and_a_block_at_once_leave_the_block_alone(pair: list[Person]) -> None:
    alice, bob = pair
    for _ in range(ROUNDS):
        request_id = alice.ask(bob).json["request"]["request_id"]
        accepted, blocked = at_once(partial(bob.answer, request_id, "accept"), partial(alice.block, bob))
        assert (accepted.status in (200, 409), blocked.status) == (True, 204)
        assert (alice.friends(), bob.friends()) == ([], [])
        assert alice.requests()[0]["status"] == ("accepted" if accepted.status == 200 else "withdrawn")
        part(alice, bob)


def test_a_request_and_a_block_at_once_leave_nothing_pending(pair: list[Person]) -> None:
    alice, bob = pair
    for _ in range(ROUNDS):
        asked, blocked = at_once(lambda: bob.ask(alice), lambda: alice.block(bob))
        assert (asked.status in (201, 403), blocked.status) == (True, 204)
        assert not [one for one in alice.requests() if one["status"] == "pending"]
        part(alice, bob)


def test_two_who_block_each_other_at_once_both_do(pair: list[Person]) -> None:
    alice, bob = pair
    for _ in range(ROUNDS):
        alice.befriend(bob)
        at_once(lambda: alice.block(bob), lambda: bob.block(alice))
        assert alice.send("GET", "/blocks").json["users"] == [bob.user]
        assert bob.send("GET", "/blocks").json["users"] == [alice.user]
        assert (alice.friends(), bob.friends()) == ([], [])
        part(alice, bob)


def test_an_acceptance_and_an_opening_at_once_open_one_chat(rest: Rest, doors: list[Rest]) -> None:
    for _ in range(ROUNDS // 2):
        alice, bob = (
            dataclasses.replace(one, rest=door) for one, door in zip(log_in(rest, "alice", "bob"), doors, strict=True)
        )
        request_id = alice.ask(bob).json["request"]["request_id"]
        body = {"type": "single", "member_ids": [bob.user_id]}
        accepted, opened = at_once(
            partial(bob.answer, request_id, "accept"), partial(alice.send, "POST", "/conversations/create", body)
        )
        assert (accepted.status, opened.status in (200, 201)) == (200, True)
        assert alice.chats() == bob.chats() == [alice.chat_with(bob)]
        assert len(alice.friends()) == 1


def test_an_account_that_is_erased_while_it_is_answered_or_blocked_is_nobodys_friend(
    rest: Rest, doors: list[Rest]
) -> None:
    for number in range(ROUNDS):
        alice, bob = (
            dataclasses.replace(one, rest=door) for one, door in zip(log_in(rest, "alice", "bob"), doors, strict=True)
        )
        request_id = alice.ask(bob).json["request"]["request_id"]
        other = partial(bob.answer, request_id, "accept") if number % 2 else partial(bob.block, alice)
        erased, answered = at_once(partial(alice.send, "DELETE", "/users/me"), other)
        assert (erased.status, answered.status in (200, 204, 404)) == (204, True)
        assert bob.friends() == bob.requests() == bob.send("GET", "/blocks").json["users"] == []
