import json

import pytest

from gochat_aws.connections_api import Outcome
from gochat_core.clock import SystemClock
from gochat_core.token_signing import TokenSigner, parse_token_secret
from gochat_core.types import DeviceId, SessionId, UserId
from tests.integration.rest.conftest import PASSWORD, Login, Rest, build_rest, build_rpc

NEW_PASSWORD = "another battery staple"


def elsewhere(rest: Rest) -> Rest:
    """Return the door of another container: nothing that this one keeps in memory is known there."""
    return build_rest(build_rpc(rest.rpc.environ, rest.secret), rest.secret)


def test_logout_ends_this_login_and_its_connection_before_it_answers(rest: Rest) -> None:
    user = rest.register("alice")
    phone, tablet = rest.login(user), rest.login(user, device="tablet")
    connections = [rest.connect(phone), rest.connect(tablet, device="tablet")]
    assert [elsewhere(rest).is_accepted(login) for login in (phone, tablet)] == [True, True]
    answer = rest.api.send("POST", "/auth/logout", token=phone.token)
    assert (answer.status, answer.text) == (204, "")
    assert rest.said_to(connections[0]) == ["session.revoked"]
    assert rest.connections.deleted == connections[:1]
    assert [elsewhere(rest).is_accepted(login) for login in (phone, tablet)] == [False, True]
    assert rest.refresh(phone.refresh_token).code == "unauthenticated"
    assert rest.api.send("POST", "/auth/logout", token=phone.token).code == "unauthenticated"


def test_logout_of_all_devices_ends_every_login(rest: Rest) -> None:
    user = rest.register("alice")
    logins = [rest.login(user, device=device) for device in ("phone", "tablet", "web")]
    connections = [
        rest.connect(login, device=device) for login, device in zip(logins, ("phone", "tablet"), strict=False)
    ]
    other = rest.login(rest.register("bob"))
    assert rest.api.send("POST", "/auth/logout", token=logins[0].token, body={"all_devices": True}).status == 204
    assert sorted(rest.connections.deleted) == sorted(connections)
    assert not any(rest.is_accepted(login) for login in logins)
    assert rest.is_accepted(other)


def test_a_new_password_ends_every_other_login(rest: Rest) -> None:
    user = rest.register("alice")
    phone, tablet = rest.login(user), rest.login(user, device="tablet")
    connections = [rest.connect(phone), rest.connect(tablet, device="tablet")]
    change = {"old_password": PASSWORD, "new_password": NEW_PASSWORD}
    assert rest.api.send("POST", "/auth/password", token=phone.token, body=change).status == 204
    assert [rest.is_accepted(login) for login in (phone, tablet)] == [True, False]
    assert rest.connections.deleted == connections[1:]
    assert rest.try_login(user["username"]).code == "invalid_credentials"
    rest.login(user, password=NEW_PASSWORD)


def test_a_wrong_old_password_changes_nothing(rest: Rest) -> None:
    user = rest.register("alice")
    phone, tablet = rest.login(user), rest.login(user, device="tablet")
    change = {"old_password": "wrong horse battery", "new_password": NEW_PASSWORD}
    answer = rest.api.send("POST", "/auth/password", token=phone.token, body=change)
    assert (answer.status, answer.code) == (401, "invalid_credentials")
    assert rest.is_accepted(tablet)
    rest.login(user)


def test_an_unlocked_phone_cannot_be_used_to_guess_the_password(rest: Rest) -> None:
    phone = rest.login(rest.register("alice"))
    change = {"old_password": "wrong horse battery", "new_password": NEW_PASSWORD}
    codes = [rest.api.send("POST", "/auth/password", token=phone.token, body=change).code for _ in range(11)]
    assert codes == ["invalid_credentials"] * 10 + ["too_many_attempts"]


@pytest.mark.parametrize(
    ("body", "fields"),
    [
        ({}, ["old_password", "new_password"]),
        ({"old_password": PASSWORD, "new_password": "short"}, ["new_password"]),
        ({"old_password": 1, "new_password": 2}, ["old_password", "new_password"]),
    ],
)
def test_a_malformed_password_change_is_refused(rest: Rest, body: object, fields: list[str]) -> None:
    phone = rest.login(rest.register("alice"))
    answer = rest.api.send("POST", "/auth/password", token=phone.token, body=body)
    assert (answer.code, answer.fields) == ("invalid_request", fields)


def test_logins_are_listed_last_used_first(rest: Rest) -> None:
    user = rest.register("alice")
    phone, tablet = rest.login(user), rest.login(user, device="tablet")
    rest.refresh(phone.refresh_token)
    sessions = rest.api.send("GET", "/auth/sessions", token=tablet.token).json["sessions"]
    assert [(one["device_id"], one["platform"], one["current"]) for one in sessions] == [
        ("phone", "ios", False),
        ("tablet", "ios", True),
    ]
    assert all(set(one) >= {"session_id", "created_at", "last_used_at"} for one in sessions)


def test_one_login_can_be_revoked_from_another_and_again(rest: Rest) -> None:
    user = rest.register("alice")
    phone, tablet = rest.login(user), rest.login(user, device="tablet")
    connection = rest.connect(phone)
    sessions = rest.api.send("GET", "/auth/sessions", token=tablet.token).json["sessions"]
    (session_id,) = [one["session_id"] for one in sessions if not one["current"]]
    for _ in range(2):
        assert rest.api.send("DELETE", f"/auth/sessions/{session_id}", token=tablet.token).status == 204
    assert [rest.is_accepted(login) for login in (phone, tablet)] == [False, True]
    assert rest.connections.deleted == [connection]


def test_somebody_elses_login_looks_like_none(rest: Rest) -> None:
    alice, bob = rest.login(rest.register("alice")), rest.login(rest.register("bob"))
    (session,) = rest.api.send("GET", "/auth/sessions", token=alice.token).json["sessions"]
    unknown = [session["session_id"], "1", "0", "x", "-1", "9" * 30]
    answers = [rest.api.send("DELETE", f"/auth/sessions/{one}", token=bob.token) for one in unknown]
    assert {(answer.status, answer.code) for answer in answers} == {(404, "session_not_found")}
    assert rest.is_accepted(alice)


def test_a_connection_that_registered_while_its_login_ended_is_found_too(rest: Rest) -> None:
    user = rest.register("alice")
    phone, tablet = rest.login(user), rest.login(user, device="tablet")
    (session_id,) = [
        one["session_id"]
        for one in rest.api.send("GET", "/auth/sessions", token=phone.token).json["sessions"]
        if one["current"]
    ]
    rest.api.send("POST", "/auth/logout", token=phone.token)
    # $connect had read the session before it ended, and registers now.
    late = rest.connect(phone)
    assert rest.api.send("DELETE", f"/auth/sessions/{session_id}", token=tablet.token).status == 204
    assert rest.connections.deleted == [late]


def test_a_young_connection_is_given_time_to_finish_its_handshake(rest: Rest) -> None:
    phone = rest.login(rest.register("alice"))
    connection = rest.connect(phone)
    rest.api.send("POST", "/auth/logout", token=phone.token)
    now_s = SystemClock().now_ms() / 1000
    assert [(call.method, call.connection_id) for call in rest.connections.calls] == [
        ("POST", connection),
        ("DELETE", connection),
    ]
    assert all(now_s + 5 < call.retry_gone_until_s <= now_s + 10 for call in rest.connections.calls)


@pytest.mark.parametrize("outcome", [Outcome.GONE, Outcome.RETRY_LATER, Outcome.REFUSED])
def test_a_connection_that_cannot_be_reached_does_not_keep_a_login_alive(rest: Rest, outcome: Outcome) -> None:
    phone = rest.login(rest.register("alice"))
    connection = rest.connect(phone)
    rest.connections.outcomes[connection].extend([outcome, outcome])
    assert rest.api.send("POST", "/auth/logout", token=phone.token).status == 204
    assert not rest.is_accepted(phone)


def test_a_ticket_is_given_for_this_login_and_lives_a_minute(rest: Rest) -> None:
    login = rest.login(rest.register("alice"))
    answers = [rest.api.send("POST", "/auth/ticket", token=login.token) for _ in range(2)]
    assert [(answer.status, answer.json["expires_in"]) for answer in answers] == [(200, 60)] * 2
    assert answers[0].json["ticket"] != answers[1].json["ticket"]
    assert rest.api.send("GET", "/users/me", token=answers[0].json["ticket"]).code == "unauthenticated"


def test_an_access_token_expires_and_says_so(rest: Rest) -> None:
    user = rest.register("alice")
    login = rest.login(user)
    (session,) = rest.api.send("GET", "/auth/sessions", token=login.token).json["sessions"]
    signer = TokenSigner(parse_token_secret(rest.secret))
    issued_at_ms = SystemClock().now_ms() - 16 * 60_000
    old = signer.access_token(
        UserId(int(user["user_id"])),
        DeviceId("phone"),
        SessionId(int(session["session_id"])),
        issued_at_ms=issued_at_ms,
    )
    answer = rest.api.send("GET", "/users/me", token=old)
    assert (answer.status, answer.code) == (401, "token_expired")
    assert answer.headers["www-authenticate"] == "Bearer"


@pytest.mark.parametrize("authorization", [None, "", "Bearer", "Bearer ", "Bearer x", "Basic YTpi", "Bearer a.b.c"])
def test_without_a_good_token_nothing_is_told(rest: Rest, authorization: str | None) -> None:
    headers = {} if authorization is None else {"Authorization": authorization}
    answer = rest.api.send("GET", "/users/me", headers=headers)
    assert (answer.status, answer.code) == (401, "unauthenticated")


def test_a_token_of_a_session_that_never_was_is_refused(rest: Rest) -> None:
    user = rest.register("alice")
    signer = TokenSigner(parse_token_secret(rest.secret))
    token = signer.access_token(
        UserId(int(user["user_id"])), DeviceId("phone"), SessionId(12345), issued_at_ms=SystemClock().now_ms()
    )
    assert not rest.is_accepted(Login(answer={"access_token": token}))


def test_an_erased_account_is_gone_and_its_name_free_again(rest: Rest) -> None:
    user = rest.register("alice")
    phone, tablet = rest.login(user), rest.login(user, device="tablet")
    connections = [rest.connect(phone), rest.connect(tablet, device="tablet")]
    bob = rest.login(rest.register("bob"))
    assert rest.api.send("GET", f"/users/{user['user_id']}", token=bob.token).status == 200
    assert rest.api.send("DELETE", "/users/me", token=phone.token).status == 204
    assert sorted(rest.connections.deleted) == sorted(connections)
    assert not any(rest.is_accepted(login) for login in (phone, tablet))
    assert rest.refresh(phone.refresh_token).code == "unauthenticated"
    assert rest.try_login(user["username"]).code == "invalid_credentials"
    assert rest.api.send("GET", f"/users/{user['user_id']}", token=bob.token).code == "user_not_found"
    found = rest.api.send("GET", f"/users/search?q={user['username']}", token=bob.token)
    assert found.json == {"users": [], "next_cursor": None}
    taken_over = rest.api.send("POST", "/auth/register", body={"username": user["username"], "password": PASSWORD})
    assert taken_over.status == 201
    assert taken_over.json["user"]["user_id"] != user["user_id"]


def test_nothing_personal_is_left_of_an_erased_account(rest: Rest) -> None:
    user = rest.register("alice")
    phone = rest.login(user)
    rest.api.send("PATCH", "/users/me", token=phone.token, body={"avatar_url": "https://example.org/a.png"})
    rest.api.send("DELETE", "/users/me", token=phone.token)
    sql = "SELECT username, password_hash, display_name, avatar_url FROM users WHERE user_id = %s"
    assert rest.rpc.database.read(lambda tx: tx.query(sql, (user["user_id"],))) == [(None, None, "", None)]
    devices = "SELECT 1 FROM devices WHERE user_id = %s"
    assert rest.rpc.database.read(lambda tx: tx.query(devices, (user["user_id"],))) == []


def test_the_connections_of_a_user_are_closed_in_every_cell(rest: Rest) -> None:
    user = rest.register("alice")
    phone, laptop = rest.login(user, device="phone"), rest.login(user, device="laptop")
    here, there = rest.connect(phone), rest.connect(laptop, device="laptop", cell="g2")

    assert rest.api.send("POST", "/auth/logout", token=phone.token, body={"all_devices": True}).status == 204

    assert (rest.connections.deleted, rest.other_cell.deleted) == ([here], [there])
    assert rest.said_to(here) == ["session.revoked"]
    assert [json.loads(frame)["event"] for frame in rest.other_cell.posted[there]] == ["session.revoked"]


def test_a_connection_of_a_cell_that_is_no_more_holds_up_no_logout(rest: Rest) -> None:
    user = rest.register("alice")
    phone = rest.login(user)
    rest.connect(phone, cell="g9")

    assert rest.api.send("POST", "/auth/logout", token=phone.token).status == 204

    assert rest.connections.calls == rest.other_cell.calls == []
