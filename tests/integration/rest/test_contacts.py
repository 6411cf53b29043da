from typing import Any

import pytest

from gochat_core.types import ConnectionId, DeviceId, UserId
from tests.fakes.http_api import HttpAnswer
from tests.integration.rest.conftest import Rest
from tests.integration.rest.contact_people import Person, log_in

NO_USER = "7"
LONGEST = "😀" * 200
BAD_LINES = [
    "x" * 1_000,
    "😀" * 201,
    "   ",
    "\u3000",
    "two\nlines",
    "tab\there",
    "null\x00",
    "\x85",
    "\u2028",
    5,
    ["x"],
]


@pytest.fixture
def people(rest: Rest) -> list[Person]:
    """Log three people in."""
    return log_in(rest, "alice", "bob", "carol")


def outcome(answer: HttpAnswer) -> tuple[int, str]:
    return answer.status, "" if answer.status < 400 else answer.code


def rows_with(who: Person, sql: str) -> list[Any]:
    """Look for somebody's id in the database."""
    return who.rest.rpc.database.read(lambda tx: tx.query(sql, (int(who.user_id),)))


# Requests


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
    assert alice.requests() == [request | {"status": "accepted"}]
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
    assert outcome(bob.answer(first, "accept")) == (409, "friend_request_closed")


def test_a_pending_request_stands_as_it_was_made_however_often_it_is_repeated(people: list[Person]) -> None:
    alice, bob, _ = people
    first, again = alice.ask(bob, "please"), alice.ask(bob, "pretty please")
    assert (first.status, again.status) == (201, 200)
    assert again.json == first.json
    assert alice.requests() == [first.json["request"]]


def test_asking_back_while_a_request_is_pending_accepts_it(people: list[Person]) -> None:
    alice, bob, _ = people
    request = alice.ask(bob, "please").json["request"]
    back = bob.ask(alice, "never shown")
    assert back.status == 200
    assert back.json["request"] == request | {"user": alice.user, "direction": "incoming", "status": "accepted"}
    assert (alice.friend_names(), bob.friend_names()) == ([bob.user["username"]], [alice.user["username"]])
    assert alice.chats() == bob.chats() == [alice.chat_with(bob)]


@pytest.mark.parametrize("verb", ["accept", "reject"])
def test_an_answer_given_twice_is_one_answer(people: list[Person], verb: str) -> None:
    alice, bob, _ = people
    request_id = alice.ask(bob).json["request"]["request_id"]
    first, again = bob.answer(request_id, verb), bob.answer(request_id, verb)
    assert (first.status, first.json) == (again.status, again.json)
    assert len(alice.friends()) == (verb == "accept")
    other = {"accept": "reject", "reject": "accept"}[verb]
    assert outcome(bob.answer(request_id, other)) == (409, "friend_request_closed")


def test_a_request_that_one_was_not_sent_looks_like_a_missing_one(people: list[Person]) -> None:
    alice, bob, carol = people
    request_id = alice.ask(bob).json["request"]["request_id"]
    shown = []
    for who, named in ((alice, request_id), (carol, request_id), (bob, NO_USER), (bob, "x"), (bob, "9" * 30)):
        for verb in ("accept", "reject"):
            answer = who.answer(named, verb)
            assert outcome(answer) == (404, "friend_request_not_found")
            shown.append({**answer.json, "request_id": ""})
    assert all(one == shown[0] for one in shown)
    assert alice.requests()[0]["status"] == "pending"


@pytest.mark.parametrize("message", BAD_LINES)
def test_a_message_that_is_no_line_is_refused(people: list[Person], message: object) -> None:
    alice, bob, _ = people
    answer = alice.send("POST", "/friends/requests", {"user_id": bob.user_id, "message": message})
    assert (outcome(answer), answer.fields) == ((400, "invalid_request"), ["message"])
    assert alice.requests() == []


@pytest.mark.parametrize(
    ("message", "kept"), [(LONGEST, LONGEST), ("", None), (None, None), ("é' \\ % \"", "é' \\ % \"")]
)
def test_a_message_is_kept_as_it_was_written(people: list[Person], message: str | None, kept: str | None) -> None:
    alice, bob, _ = people
    answer = alice.send("POST", "/friends/requests", {"user_id": bob.user_id, "message": message, "later": 1})
    assert (answer.status, answer.json["request"]["message"]) == (201, kept)
    assert bob.requests()[0]["message"] == kept


@pytest.mark.parametrize(
    ("body", "fields"), [({}, ["user_id"]), ({"user_id": 5, "message": 1}, ["user_id", "message"])]
)
def test_a_malformed_request_is_refused_with_every_fault(people: list[Person], body: object, fields: list[str]) -> None:
    answer = people[0].send("POST", "/friends/requests", body)
    assert (outcome(answer), answer.fields) == ((400, "invalid_request"), fields)


def test_nobody_can_ask_or_block_oneself(people: list[Person]) -> None:
    alice, _, _ = people
    for answer in (alice.ask(alice), alice.block(alice)):
        assert (outcome(answer), answer.fields) == ((400, "invalid_request"), ["user_id"])
    assert outcome(alice.unblock(alice)) == outcome(alice.send("DELETE", f"/friends/{alice.user_id}")) == (204, "")
    assert outcome(alice.send("PATCH", f"/friends/{alice.user_id}", {})) == (404, "friend_not_found")


@pytest.mark.parametrize("user_id", [NO_USER, "0", "x", "-5", "9" * 30, "1.5", "%F0%9F%98%80"])
def test_a_user_who_does_not_exist_can_be_neither_asked_nor_blocked(people: list[Person], user_id: str) -> None:
    alice, _, _ = people
    not_found = (404, "user_not_found")
    assert outcome(alice.send("POST", "/friends/requests", {"user_id": user_id})) == not_found
    assert outcome(alice.send("PUT", f"/blocks/{user_id}")) == not_found
    gone = (204, "") if user_id == NO_USER else not_found
    assert outcome(alice.send("DELETE", f"/blocks/{user_id}")) == gone
    assert outcome(alice.send("DELETE", f"/friends/{user_id}")) == gone
    assert alice.send("PATCH", f"/friends/{user_id}", {"remark": "x"}).status == 404


def test_friends_need_not_ask_again(people: list[Person]) -> None:
    alice, bob, _ = people
    alice.befriend(bob)
    assert outcome(alice.ask(bob)) == outcome(bob.ask(alice)) == (409, "already_friends")
    assert [one["status"] for one in bob.requests()] == ["accepted"]


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


# Who may


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("POST", "/friends/requests"),
        ("GET", "/friends/requests"),
        ("POST", "/friends/requests/5/accept"),
        ("POST", "/friends/requests/5/reject"),
        ("GET", "/friends"),
        ("PATCH", "/friends/5"),
        ("DELETE", "/friends/5"),
        ("PUT", "/blocks/5"),
        ("DELETE", "/blocks/5"),
        ("GET", "/blocks"),
    ],
)
def test_a_stranger_is_let_in_nowhere(rest: Rest, method: str, path: str) -> None:
    assert outcome(rest.api.send(method, path)) == (401, "unauthenticated")


def test_a_request_with_an_idempotency_key_is_answered_as_the_first_was(people: list[Person]) -> None:
    alice, bob, carol = people
    first = alice.ask(bob, key="k-1")
    bob.answer(first.json["request"]["request_id"], "reject")
    again = alice.ask(bob, key="k-1")
    assert (again.status, again.json) == (201, first.json)
    assert outcome(alice.ask(carol, key="k-1")) == (409, "idempotency_conflict")
    assert [one["status"] for one in alice.requests()] == ["rejected"]


# Lists


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
