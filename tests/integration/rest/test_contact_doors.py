import dataclasses

import pytest

from tests.integration.rest.conftest import Rest, build_rest, build_rpc
from tests.integration.rest.contact_people import Person, log_in


@pytest.fixture
def people(rest: Rest) -> list[Person]:
    """Log two people in."""
    return log_in(rest, "alice", "bob")


@pytest.fixture
def friendly(people: list[Person], rest: Rest) -> list[Person]:
    """Let the same people use a deployment where friends alone may write to each other."""
    environ = rest.rpc.environ | {"GOCHAT_CONTACTS_ONLY": "true"}
    door = build_rest(build_rpc(environ, rest.secret), rest.secret)
    return [dataclasses.replace(one, rest=door) for one in people]


def test_a_block_refuses_new_chats_and_messages_and_shows_what_there_is(people: list[Person]) -> None:
    alice, bob = people
    bob.block(alice)
    refused = alice.open(bob)
    assert (refused.status, refused.code) == (403, "blocked")
    assert bob.open(alice).status == 201, "a block has one direction"
    assert alice.open(bob).status == 200, "what there is, is shown"
    refused = alice.say(bob, "hi", "m-1")
    assert (refused.status, refused.code) == (403, "blocked")
    assert bob.say(alice, "hi", "m-1").status == 201
    bob.unblock(alice)
    assert alice.say(bob, "hi", "m-1").status == 201
    bob.block(alice)
    again = alice.say(bob, "hi", "m-1")
    assert (again.status, again.json["message"]["seq"]) == (200, 2), "a resend is answered as the first was"


def test_where_friends_alone_may_write_strangers_become_friends_first(friendly: list[Person]) -> None:
    alice, bob = friendly
    refused = alice.open(bob)
    assert (refused.status, refused.code) == (403, "not_friends")
    alice.befriend(bob)
    assert alice.open(bob).status == 200
    assert alice.say(bob, "hi", "m-1").status == bob.say(alice, "hi", "m-1").status == 201
    bob.send("DELETE", f"/friends/{alice.user_id}")
    refused = alice.say(bob, "hi", "m-2")
    assert (refused.status, refused.code) == (403, "not_friends")
    assert alice.send("GET", f"/conversations/{alice.chat_with(bob)}/messages").json["messages"] != []


def test_a_chat_that_one_has_hidden_is_shown_again_with_the_friendship(people: list[Person]) -> None:
    alice, bob = people
    alice.open(bob)
    for one in people:
        assert one.send("DELETE", f"/conversations/{alice.chat_with(bob)}").status == 204
    assert alice.chats() == bob.chats() == []
    alice.befriend(bob)
    assert alice.chats() == bob.chats() == [alice.chat_with(bob)]
