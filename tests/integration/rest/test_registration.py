import re
from concurrent.futures import ThreadPoolExecutor

import pytest

from tests.integration.rest.conftest import PASSWORD, Rest, build_rest, build_rpc


def body(username: str, **other: object) -> dict[str, object]:
    return {"username": username, "password": PASSWORD, **other}


def test_an_account_is_made_and_told(rest: Rest) -> None:
    name = rest.name("Alice")
    answer = rest.api.send("POST", "/auth/register", body=body(name, display_name="Alice 😀"))
    user = answer.json["user"]
    assert answer.status == 201
    assert set(user) == {"user_id", "username", "display_name", "avatar_url", "created_at"}
    assert (user["username"], user["display_name"], user["avatar_url"]) == (name.lower(), "Alice 😀", None)
    assert re.fullmatch(r"[1-9]\d{17,18}", user["user_id"])
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z", user["created_at"])
    assert "😀" in answer.text


def test_a_username_belongs_to_one_however_it_is_written(rest: Rest) -> None:
    name = rest.name("alice")
    assert rest.api.send("POST", "/auth/register", body=body(name)).status == 201
    again = rest.api.send("POST", "/auth/register", body=body(name.upper()))
    assert (again.status, again.code) == (409, "username_taken")


def test_of_two_who_want_one_name_at_once_one_gets_it(rest: Rest) -> None:
    name = rest.name("alice")
    doors = [build_rest(build_rpc(rest.rpc.environ, rest.secret), rest.secret) for _ in range(4)]
    with ThreadPoolExecutor(len(doors)) as pool:
        answers = list(pool.map(lambda door: door.api.send("POST", "/auth/register", body=body(name)), doors))
    assert sorted(answer.status for answer in answers) == [201, 409, 409, 409]


@pytest.mark.parametrize(
    ("wrong", "fields"),
    [
        ({}, ["username", "password"]),
        ({"username": 5, "password": "short", "display_name": ""}, ["username", "password", "display_name"]),
        ({"username": "has space", "password": "x" * 129}, ["username", "password"]),
        ({"username": "al", "password": PASSWORD}, ["username"]),
    ],
)
def test_a_registration_that_breaks_rules_is_refused_with_every_fault(
    rest: Rest, wrong: object, fields: list[str]
) -> None:
    answer = rest.api.send("POST", "/auth/register", body=wrong)
    assert (answer.status, answer.code, answer.fields) == (400, "invalid_request", fields)


@pytest.mark.needs_redis
def test_one_address_registers_so_many_in_an_hour_and_no_more(rest: Rest) -> None:
    environ = rest.rpc.environ | {"GOCHAT_REGISTRATIONS_PER_HOUR": "1"}
    strict = build_rest(build_rpc(environ, rest.secret), rest.secret)
    # Other tests have registered from this address already.
    strict.api.send("POST", "/auth/register", body=body(rest.name("alice")))
    answer = strict.api.send("POST", "/auth/register", body=body(rest.name("alice")))
    assert (answer.status, answer.code) == (429, "rate_limited")
    assert 0 < int(answer.headers["retry-after"]) <= 3600
