import pytest

from tests.integration.rest.conftest import Rest
from tests.integration.rest.contact_people import Person, log_in

NO_USER = "7"
NOT_FOUND = (404, "friend_request_not_found")


@pytest.fixture
def people(rest: Rest) -> list[Person]:
    """Log three people in."""
    return log_in(rest, "alice", "bob", "carol")


def test_a_request_is_seen_by_both_and_makes_friends_when_it_is_accepted(people: list[Person]) -> None:
    alice, bob, carol = people
    asked = alice.ask(bob, "Hi, it's me 😀")
    assert asked.status == 201
    request = asked.json["request"]
    assert (request["user"], request["direction"], request["status"]) == (bob.user, "outgoing", "pending")
    assert request["message"] == "Hi, it's me 😀"
    assert alice.requests() == [request]
    (received,) = bob.requests()
    assert received == request | {"user": alice.user, "direction": "incoming"}
    accepted = bob.answer(request["request_id"], "accept")
    assert (accepted.status, accepted.json["request"]) == (200, received | {"status": "accepted"})
    assert (alice.friend_names(), bob.friend_names()) == ([bob.user["username"]], [alice.user["username"]])
    assert alice.chats() == bob.chats() == [alice.chat_with(bob)]
    assert (carol.requests(), carol.friends()) == ([], [])


def test_a_request_that_was_rejected_changes_nothing_and_may_be_made_again(people: list[Person]) -> None:
    alice, bob, _ = people
    first = alice.ask(bob).json["request"]["request_id"]
    assert [bob.answer(first, "reject").json["request"]["status"] for _ in range(2)] == ["rejected", "rejected"]
    assert (alice.friends(), alice.chats()) == ([], [])
    again = alice.ask(bob)
    assert (again.status, again.json["request"]["status"]) == (201, "pending")
    assert [one["status"] for one in alice.requests()] == ["pending", "rejected"]
    assert (bob.answer(first, "accept").status, bob.answer(first, "accept").code) == (409, "friend_request_closed")
