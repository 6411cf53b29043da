import pytest

from gochat_core.clock import SystemClock
from gochat_core.types import ConnectionId, UserId
from gochat_repo.presence import Presence
from tests.integration.rest.conftest import Rest
from tests.integration.rest.contact_people import Person, log_in

pytestmark = pytest.mark.needs_redis


@pytest.fixture
def people(rest: Rest) -> list[Person]:
    """Log three people in."""
    return log_in(rest, "alice", "bob", "carol")


@pytest.fixture
def presence(rest: Rest) -> Presence:
    return Presence(rest.rpc.database, rest.rpc.cache)


def id_of(who: Person) -> UserId:
    return UserId(int(who.user_id))


def seen_by(presence: Presence, viewer: Person, *others: Person) -> list[UserId]:
    return presence.list_visible(id_of(viewer), [id_of(one) for one in others])


def test_friends_see_each_other_and_strangers_do_not(people: list[Person], presence: Presence) -> None:
    alice, bob, carol = people
    alice.ask(carol)
    assert seen_by(presence, alice, bob, carol) == []
    alice.befriend(bob)
    assert seen_by(presence, alice, bob, carol) == [id_of(bob)]
    assert seen_by(presence, bob, alice, carol) == [id_of(alice)]


@pytest.mark.parametrize("blocker", [0, 1])
def test_neither_of_two_sees_the_other_across_a_block(people: list[Person], presence: Presence, blocker: int) -> None:
    alice, bob, carol = people
    alice.befriend(bob)
    alice.befriend(carol)
    people[blocker].block(people[1 - blocker])
    assert seen_by(presence, alice, bob, carol) == [id_of(carol)]
    assert seen_by(presence, bob, alice) == []
    people[blocker].unblock(people[1 - blocker])
    assert seen_by(presence, bob, alice) == [id_of(alice)], "they still share their conversation"


def test_a_block_ends_what_the_two_have_subscribed_to_and_nothing_else(
    people: list[Person], presence: Presence
) -> None:
    alice, bob, carol = people
    now_ms = SystemClock().now_ms()
    for who, peers in ((alice, [bob, carol]), (bob, [alice]), (carol, [alice, bob])):
        for device in ("phone", "laptop"):
            connection_id = ConnectionId(f"{who.user_id}-{device}=")
            assert presence.subscribe(id_of(who), connection_id, [id_of(one) for one in peers], now_ms=now_ms)
    alice.block(bob)
    watchers = presence.list_watchers([id_of(one) for one in people], now_ms=now_ms)
    assert {user: set(held) for user, held in watchers.items()} == {
        id_of(alice): {id_of(carol)},
        id_of(bob): {id_of(carol)},
        id_of(carol): {id_of(alice)},
    }
