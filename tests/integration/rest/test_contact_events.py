from typing import Any

import pytest

from tests.integration.rest.conftest import Rest, build_rest, build_rpc
from tests.integration.rest.contact_people import Person, log_in


@pytest.fixture
def people(rest: Rest) -> list[Person]:
    """Log Alice and Bob in and connect a device of each."""
    people = log_in(rest, "alice", "bob")
    for one in people:
        rest.connect(one.login)
    return people


def news(*people: Person) -> list[list[tuple[str, Any]]]:
    """Take what was told since the last time, for each."""
    told = [list(one.told()) for one in people]
    people[0].rest.rpc.producer.records.clear()
    return told


def test_both_sides_devices_hear_of_a_request_each_as_it_sees_it(people: list[Person]) -> None:
    alice, bob = people
    alice.ask(bob, "please")
    assert news(alice, bob) == [
        [("friend.requested", {"request": alice.requests()[0]})],
        [("friend.requested", {"request": bob.requests()[0]})],
    ]


def test_an_acceptance_opens_the_chat_and_tells_both(people: list[Person]) -> None:
    alice, bob = people
    alice.befriend(bob)
    for who, told in zip(people, news(alice, bob), strict=True):
        chat = who.send("GET", f"/conversations/{alice.chat_with(bob)}").json["conversation"]
        assert told[1:] == [
            ("conversation.created", {"conversation": chat}),
            ("friend.accepted", {"request": who.requests()[0]}),
        ]


def test_requests_that_cross_tell_both_of_the_friendship(people: list[Person]) -> None:
    alice, bob = people
    alice.ask(bob)
    bob.ask(alice)
    events = [[event for event, _ in told] for told in news(alice, bob)]
    assert events == [["friend.requested", "conversation.created", "friend.accepted"]] * 2


def test_a_rejection_is_told(people: list[Person]) -> None:
    alice, bob = people
    request_id = alice.ask(bob).json["request"]["request_id"]
    news(alice)
    bob.answer(request_id, "reject")
    assert news(alice, bob) == [
        [("friend.rejected", {"request": alice.requests()[0]})],
        [("friend.rejected", {"request": bob.requests()[0]})],
    ]


def test_the_end_of_a_friendship_is_told(people: list[Person]) -> None:
    alice, bob = people
    alice.befriend(bob)
    news(alice)
    bob.send("DELETE", f"/friends/{alice.user_id}")
    assert news(alice, bob) == [
        [("friend.removed", {"user_id": bob.user_id})],
        [("friend.removed", {"user_id": alice.user_id})],
    ]


def test_a_block_tells_what_it_ends_and_not_that_it_is_one(people: list[Person]) -> None:
    alice, bob = people
    alice.block(bob)
    alice.unblock(bob)
    assert news(alice, bob) == [[], []]
    bob.ask(alice)
    news(alice)
    alice.block(bob)
    assert news(alice, bob)[1] == [("friend.withdrawn", {"request": bob.requests()[0]})]
    alice.unblock(bob)
    alice.befriend(bob)
    news(alice)
    alice.block(bob)
    assert news(alice, bob)[1] == [("friend.removed", {"user_id": alice.user_id})]


def test_what_changes_nothing_is_not_told_again(people: list[Person]) -> None:
    alice, bob = people
    request_id = alice.ask(bob).json["request"]["request_id"]
    bob.answer(request_id, "accept")
    news(alice)
    bob.answer(request_id, "accept")
    alice.ask(bob)
    bob.block(alice)
    news(alice)
    bob.block(alice)
    alice.send("DELETE", f"/friends/{bob.user_id}")
    assert news(alice, bob) == [[], []]


def test_what_could_not_be_told_is_told_later(people: list[Person], rest: Rest) -> None:
    alice, bob = people
    rest.rpc.producer.available = False
    assert alice.ask(bob).status == 201
    rest.rpc.producer.available = True
    assert news(alice, bob) == [[], []]
    rest.rpc.database.transaction(lambda tx: tx.execute("UPDATE outbox SET created_at_ms = 0"))
    # A container that is new looks for what others left behind with the first message that it announces.
    other = build_rest(build_rpc(rest.rpc.environ, rest.secret), rest.secret)
    carol, dave = log_in(other, "carol", "dave")
    carol.send("POST", "/conversations/create", {"type": "single", "member_ids": [dave.user_id]})
    assert carol.say(dave, "hi", "m-1").status == 201
    told = {one.user_id: list(Person(rest=other, user=one.user, login=one.login).told()) for one in people}
    assert told == {
        alice.user_id: [("friend.requested", {"request": alice.requests()[0]})],
        bob.user_id: [("friend.requested", {"request": bob.requests()[0]})],
    }
    assert not rest.rpc.database.read(lambda tx: tx.query("SELECT 1 FROM outbox WHERE kind = 'notice'"))


@pytest.mark.needs_redis
@pytest.mark.parametrize("path", ["/friends", "/friends/requests", "/blocks"])
def test_a_list_costs_one_database_round_trip_however_long_it_is(people: list[Person], rest: Rest, path: str) -> None:
    alice, bob = people
    alice.befriend(bob)
    (carol,) = log_in(rest, "carol")
    alice.befriend(carol)
    alice.block(carol)

    def cost() -> int:
        before = rest.rpc.database.round_trips
        assert alice.send("GET", path).status == 200
        return rest.rpc.database.round_trips - before

    cost()  # the cache learns of the login
    assert cost() == 1
