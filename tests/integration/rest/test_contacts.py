import pytest

from tests.integration.rest.conftest import Rest
from tests.integration.rest.contact_people import BAD_LINES, Person, log_in, outcome

NO_USER = "7"
LONGEST = "😀" * 200


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
