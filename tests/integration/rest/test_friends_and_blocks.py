from typing import Any

import pytest

from gochat_core.types import ConnectionId, DeviceId, UserId
from tests.integration.rest.conftest import Rest
from tests.integration.rest.contact_people import BAD_LINES, Person, log_in, outcome


@pytest.fixture
def people(rest: Rest) -> list[Person]:
    """Log three people in."""
    return log_in(rest, "alice", "bob", "carol")


def rows_with(who: Person, sql: str) -> list[Any]:
    """Look for somebody's id in the database."""
    return who.rest.rpc.database.read(lambda tx: tx.query(sql, (int(who.user_id),)))


# Friends


def test_a_remark_is_its_authors_alone(people: list[Person]) -> None:
    alice, bob, _ = people
    alice.befriend(bob)
    changed = alice.send("PATCH", f"/friends/{bob.user_id}", {"remark": "Bobby 😀"})
    assert (changed.status, changed.json["friend"]["remark"]) == (200, "Bobby 😀")
    assert alice.friends() == [changed.json["friend"]]
    assert bob.friends()[0]["remark"] is None
    assert alice.send("PATCH", f"/friends/{bob.user_id}", {}).json == changed.json
    for nothing in (None, ""):
        alice.send("PATCH", f"/friends/{bob.user_id}", {"remark": "Bobby"})
        assert alice.send("PATCH", f"/friends/{bob.user_id}", {"remark": nothing}).json["friend"]["remark"] is None


@pytest.mark.parametrize("remark", [*BAD_LINES, "😀" * 65])
def test_a_remark_that_is_no_line_is_refused(people: list[Person], remark: object) -> None:
    alice, bob, _ = people
    alice.befriend(bob)
    alice.send("PATCH", f"/friends/{bob.user_id}", {"remark": "Bobby"})
    answer = alice.send("PATCH", f"/friends/{bob.user_id}", {"remark": remark})
    assert (outcome(answer), answer.fields) == ((400, "invalid_request"), ["remark"])
    assert alice.friends()[0]["remark"] == "Bobby"


def test_only_a_friend_has_a_remark(people: list[Person]) -> None:
    alice, bob, _ = people
    assert outcome(alice.send("PATCH", f"/friends/{bob.user_id}", {"remark": "x"})) == (404, "friend_not_found")
    alice.ask(bob)
    assert outcome(alice.send("PATCH", f"/friends/{bob.user_id}", {"remark": "x"})) == (404, "friend_not_found")


def test_a_friendship_ends_for_both_and_the_chat_stays(people: list[Person]) -> None:
    alice, bob, _ = people
    alice.befriend(bob)
    assert [alice.send("DELETE", f"/friends/{bob.user_id}").status for _ in range(2)] == [204, 204]
    assert (alice.friends(), bob.friends()) == ([], [])
    assert alice.chats() == bob.chats() == [alice.chat_with(bob)]
    assert alice.say(bob, "still here", "m-1").status == 201
    assert bob.ask(alice).status == 201


def test_an_accepted_request_does_not_bring_an_ended_friendship_back(people: list[Person]) -> None:
    alice, bob, _ = people
    alice.befriend(bob)
    request_id = bob.requests()[0]["request_id"]
    alice.send("DELETE", f"/friends/{bob.user_id}")
    assert bob.answer(request_id, "accept").json["request"]["status"] == "accepted"
    assert bob.friends() == []


def test_friends_show_who_is_connected_and_since_when_one_is_not(people: list[Person]) -> None:
    alice, bob, _ = people
    alice.befriend(bob)
    (seen,) = alice.friends()
    assert (seen["online"], seen["last_seen"], seen["remark"]) == (False, None, None)
    connection_id = bob.rest.connect(bob.login)
    (seen,) = alice.friends()
    assert (seen["online"], seen["last_seen"] > seen["since"]) == (True, True)
    assert bob.rest.rpc.connections.remove(UserId(int(bob.user_id)), DeviceId("phone"), ConnectionId(connection_id))
    (seen,) = alice.friends()
    assert (seen["online"], seen["last_seen"] > seen["since"]) == (False, True)


# Blocks


def test_a_block_is_its_authors_secret_setting(people: list[Person]) -> None:
    alice, bob, _ = people
    assert [alice.block(bob).status for _ in range(2)] == [204, 204]
    assert alice.send("GET", "/blocks").json == {"users": [bob.user], "next_cursor": None}
    assert bob.send("GET", "/blocks").json["users"] == []
    assert [alice.unblock(bob).status for _ in range(2)] == [204, 204]
    assert alice.send("GET", "/blocks").json["users"] == []


def test_a_block_ends_the_friendship_and_unblocking_does_not_bring_it_back(people: list[Person]) -> None:
    alice, bob, _ = people
    alice.befriend(bob)
    alice.block(bob)
    assert (alice.friends(), bob.friends()) == ([], [])
    alice.unblock(bob)
    assert (alice.friends(), bob.friends()) == ([], [])
    assert bob.ask(alice).status == 201


def test_a_block_withdraws_what_is_pending_whoever_asked(people: list[Person]) -> None:
    alice, bob, carol = people
    asked = bob.ask(alice).json["request"]["request_id"]
    alice.ask(carol)
    alice.block(bob)
    alice.block(carol)
    assert [one["status"] for one in alice.requests()] == ["withdrawn", "withdrawn"]
    assert bob.requests()[0]["status"] == carol.requests()[0]["status"] == "withdrawn"
    assert outcome(alice.answer(asked, "accept")) == (409, "friend_request_closed")
    assert outcome(alice.answer(asked, "reject")) == (409, "friend_request_closed")


def test_no_request_crosses_a_block(people: list[Person]) -> None:
    alice, bob, _ = people
    alice.block(bob)
    assert outcome(bob.ask(alice)) == (403, "blocked")
    assert outcome(alice.ask(bob)) == (403, "forbidden")
    assert alice.requests() == bob.requests() == []
    alice.unblock(bob)
    assert bob.ask(alice).status == 201


def test_two_may_block_each_other(people: list[Person]) -> None:
    alice, bob, _ = people
    assert (alice.block(bob).status, bob.block(alice).status) == (204, 204)
    assert alice.unblock(bob).status == 204
    assert outcome(alice.ask(bob)) == (403, "blocked")
    assert outcome(bob.ask(alice)) == (403, "forbidden")


# Erased accounts


def test_an_erased_account_vanishes_from_every_list(people: list[Person]) -> None:
    alice, bob, carol = people
    alice.befriend(bob)
    pending = carol.ask(alice).json["request"]["request_id"]
    alice.ask(carol)
    dave, erin = log_in(alice.rest, "dave", "erin")
    alice.block(dave)
    asked = erin.ask(alice).json["request"]["request_id"]
    for one in (bob, carol, dave, erin):
        assert one.send("DELETE", "/users/me").status == 204
    assert alice.friends() == alice.requests() == alice.send("GET", "/blocks").json["users"] == []
    assert outcome(alice.answer(pending, "accept")) == (404, "friend_request_not_found")
    assert outcome(alice.answer(asked, "reject")) == (404, "friend_request_not_found")
    assert outcome(alice.ask(bob)) == outcome(alice.block(bob)) == (404, "user_not_found")
    assert outcome(alice.send("PATCH", f"/friends/{bob.user_id}", {"remark": "x"})) == (404, "friend_not_found")
    assert outcome(alice.unblock(dave)) == outcome(alice.send("DELETE", f"/friends/{bob.user_id}")) == (204, "")


def test_an_account_that_is_erased_leaves_nothing_between_it_and_others(people: list[Person]) -> None:
    alice, bob, carol = people
    alice.befriend(bob)
    bob.befriend(carol)
    alice.send("PATCH", f"/friends/{bob.user_id}", {"remark": "Bobby"})
    bob.send("POST", "/friends/requests", {"user_id": log_in(bob.rest, "dave")[0].user_id, "message": "my words"})
    bob.block(log_in(bob.rest, "erin")[0])
    assert bob.send("DELETE", "/users/me").status == 204
    for table, columns in (
        ("friend_requests", ("sender_id", "recipient_id")),
        ("friendships", ("user_id", "friend_id")),
        ("blocks", ("blocker_id", "blocked_id")),
    ):
        for column in columns:
            assert rows_with(bob, f"SELECT 1 FROM {table} WHERE {column} = %s") == []
    assert (alice.friends(), carol.friends()) == ([], [])
