from concurrent.futures import ThreadPoolExecutor

import pytest

from tests.integration.rest.conftest import PASSWORD, Rest, build_rest, build_rpc

WRONG = "wrong horse battery"


def test_a_login_answers_with_everything_that_a_client_needs(rest: Rest) -> None:
    user = rest.register("alice")
    answer = rest.try_login(user["username"].upper())
    assert answer.status == 200
    assert answer.json | {"access_token": "", "refresh_token": ""} == {
        "access_token": "",
        "refresh_token": "",
        "token_type": "Bearer",
        "expires_in": 900,
        "user": user,
        "websocket_url": "wss://example.org/test",
    }
    assert rest.api.send("GET", "/users/me", token=answer.json["access_token"]).json == {"user": user}


def test_the_last_login_is_kept(rest: Rest) -> None:
    user = rest.register("alice")
    sql = "SELECT last_login_at_ms FROM users WHERE user_id = %s"
    assert rest.rpc.database.read(lambda tx: tx.query(sql, (user["user_id"],))) == [(None,)]
    rest.login(user)
    ((at_ms,),) = rest.rpc.database.read(lambda tx: tx.query(sql, (user["user_id"],)))
    assert at_ms is not None


def test_a_wrong_password_and_a_missing_user_look_the_same(rest: Rest) -> None:
    user = rest.register("alice")
    answers = [
        rest.try_login(user["username"], password=WRONG),
        rest.try_login(rest.name("nobody")),
        rest.try_login("no such name!"),
        rest.try_login(user["username"], password="x" * 500),
        rest.try_login(user["username"], password=""),
    ]
    shown = [{**answer.json, "request_id": ""} for answer in answers]
    assert all(answer.status == 401 and answer.code == "invalid_credentials" for answer in answers)
    assert all(one == shown[0] for one in shown)


@pytest.mark.parametrize(
    ("wrong", "fields"),
    [
        ({}, ["username", "password", "device_id", "platform"]),
        ({"platform": "toaster"}, ["platform"]),
        ({"device_id": ""}, ["device_id"]),
        ({"device_id": "x" * 65}, ["device_id"]),
        ({"device_id": "my phone", "platform": None}, ["device_id", "platform"]),
        ({"username": 1, "password": 2}, ["username", "password"]),
    ],
)
def test_a_malformed_login_is_refused_with_every_fault(rest: Rest, wrong: dict[str, object], fields: list[str]) -> None:
    good = {"username": "alice", "password": PASSWORD, "device_id": "phone", "platform": "web"}
    answer = rest.api.send("POST", "/auth/login", body=good | wrong if wrong else {})
    assert (answer.status, answer.code, answer.fields) == (400, "invalid_request", fields)


def test_after_ten_failures_even_the_right_password_waits(rest: Rest) -> None:
    user, other = rest.register("alice"), rest.register("bob")
    for _ in range(10):
        assert rest.try_login(user["username"], password=WRONG).status == 401
    answer = rest.try_login(user["username"].upper())
    assert (answer.status, answer.code) == (429, "too_many_attempts")
    assert 800 < int(answer.headers["retry-after"]) <= 900
    assert rest.try_login(other["username"]).status == 200


def test_a_name_that_nobody_has_is_throttled_alike(rest: Rest) -> None:
    name = rest.name("nobody")
    statuses = [rest.try_login(name, password=WRONG).status for _ in range(11)]
    assert statuses == [401] * 10 + [429]


def test_a_login_that_succeeds_forgets_the_failures(rest: Rest) -> None:
    user = rest.register("alice")
    for _ in range(2):
        for _ in range(9):
            assert rest.try_login(user["username"], password=WRONG).status == 401
        rest.login(user)


def test_many_guesses_at_once_do_not_slip_through_together(rest: Rest) -> None:
    user = rest.register("alice")
    doors = [build_rest(build_rpc(rest.rpc.environ, rest.secret), rest.secret) for _ in range(4)]

    def guess(door: Rest) -> list[int]:
        return [door.try_login(user["username"], password=WRONG).status for _ in range(5)]

    with ThreadPoolExecutor(len(doors)) as pool:
        statuses = [status for found in pool.map(guess, doors) for status in found]
    assert sorted(statuses) == [401] * 10 + [429] * 10


def test_another_login_of_the_device_ends_the_former_and_its_connection(rest: Rest) -> None:
    user = rest.register("alice")
    first, tablet = rest.login(user), rest.login(user, device="tablet")
    phone_connection = rest.connect(first)
    tablet_connection = rest.connect(tablet, device="tablet")
    second = rest.login(user)
    assert [rest.is_accepted(login) for login in (first, second, tablet)] == [False, True, True]
    assert rest.said_to(phone_connection) == ["session.revoked"]
    assert rest.connections.deleted == [phone_connection]
    held = rest.rpc.connections.list_by_users([int(user["user_id"])])  # type: ignore[list-item]
    assert [one.connection_id for held_by in held.values() for one in held_by] == [tablet_connection]


def test_two_logins_of_one_device_at_once_leave_one_standing(rest: Rest) -> None:
    user = rest.register("alice")
    doors = [build_rest(build_rpc(rest.rpc.environ, rest.secret), rest.secret) for _ in range(4)]
    with ThreadPoolExecutor(len(doors)) as pool:
        logins = list(pool.map(lambda door: door.login(user), doors))
    (standing,) = [login for login in logins if rest.is_accepted(login)]
    assert len(rest.api.send("GET", "/auth/sessions", token=standing.token).json["sessions"]) == 1
