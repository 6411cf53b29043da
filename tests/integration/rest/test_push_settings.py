from typing import Any

import pytest

from gochat_core.types import ConversationId, DeviceId, Seq, UserId
from gochat_repo.push_log import LoggedPush, claim_pushes
from gochat_repo.push_tokens import PushToken, list_push_tokens
from tests.integration.rest.conftest import VAPID_PUBLIC_KEY, Login, Rest
from tests.unit.contracts.test_push_settings import subscription

DEFAULTS = {"quiet_hours": None, "time_zone": "UTC", "previews": True, "language": "en"}
NIGHTS = {"quiet_hours": {"start": "22:00", "end": "07:30"}, "time_zone": "Asia/Shanghai"}


@pytest.fixture
def alice(rest: Rest) -> Login:
    return rest.login(rest.register("alice"))


@pytest.fixture
def bob(rest: Rest) -> Login:
    return rest.login(rest.register("bob"))


def put(rest: Rest, login: Login, token: str, *, device: str = "phone", provider: str = "fcm") -> Any:
    body = {"provider": provider, "token": token}
    return rest.api.send("PUT", f"/devices/{device}/push-token", token=login.token, body=body)


def held(rest: Rest, login: Login) -> list[tuple[str, str, str]]:
    user_id = UserId(int(login.answer["user"]["user_id"]))
    found = rest.rpc.database.read(lambda tx: list_push_tokens(tx, [user_id], now_ms=1))
    return [(one.device_id, one.provider, one.token) for one in found.get(user_id, ())]


def fresh_token(rest: Rest) -> str:
    return rest.name("token-of-some-thirty-two-letters")


def test_a_device_has_one_token_and_the_latest_counts(rest: Rest, alice: Login) -> None:
    first, second = fresh_token(rest), fresh_token(rest)
    for token in (first, second, second):
        assert put(rest, alice, token).status == 204
    assert held(rest, alice) == [("phone", "fcm", second)]
    endpoint = f"https://fcm.googleapis.com/fcm/send/{first}"
    assert put(rest, alice, subscription(endpoint), provider="webpush").status == 204
    (only,) = held(rest, alice)
    assert only[:2] == ("phone", "webpush")
    for _ in range(2):
        assert rest.api.send("DELETE", "/devices/phone/push-token", token=alice.token).status == 204
    assert held(rest, alice) == []


def test_a_token_that_another_user_registers_moves(rest: Rest, alice: Login, bob: Login) -> None:
    token = fresh_token(rest)
    assert put(rest, alice, token).status == put(rest, bob, token).status == 204
    assert (held(rest, alice), held(rest, bob)) == ([], [("phone", "fcm", token)])


def test_a_token_that_moves_to_a_device_with_a_token_replaces_it(rest: Rest, alice: Login, bob: Login) -> None:
    token = fresh_token(rest)
    put(rest, alice, token)
    put(rest, bob, fresh_token(rest))
    put(rest, bob, token)
    assert (held(rest, alice), held(rest, bob)) == ([], [("phone", "fcm", token)])


@pytest.mark.parametrize("device", ["tablet", "x" * 65, "%00", "phone%20", "t%C3%A9l"])
def test_a_device_that_is_not_logged_in_gets_no_token(rest: Rest, alice: Login, bob: Login, device: str) -> None:
    rest.login(bob.answer["user"], device="tablet")
    answer = put(rest, alice, fresh_token(rest), device=device)
    assert (answer.status, answer.code) == (404, "device_not_found")


@pytest.mark.parametrize(
    ("provider", "token"),
    [
        ("pigeon", "x"),
        ("apns", "zz" * 32),
        ("fcm", "a b"),
        ("webpush", "{}"),
        ("fcm", "é" * 40),
        ("fcm", "a" * 4097),
        ("fcm", "a" * 40 + "\x00"),
        ("apns", "ab" * 31 + "\x1b["),
        ("webpush", '{"endpoint": "https://fcm.googleapis.com/\\u0000"}'),
        ("webpush", subscription("https://169.254.169.254/latest/meta-data")),
        ("webpush", subscription("https://localhost:3306/")),
        ("", "x"),
    ],
)
def test_a_token_that_is_none_is_refused(rest: Rest, alice: Login, provider: str, token: str) -> None:
    answer = put(rest, alice, token, provider=provider)
    assert (answer.status, answer.code) == (400, "invalid_request")
    assert held(rest, alice) == []


def test_a_logout_takes_the_devices_token_and_no_other(rest: Rest, alice: Login) -> None:
    tablet = rest.login(alice.answer["user"], device="tablet")
    kept = fresh_token(rest)
    put(rest, alice, fresh_token(rest))
    put(rest, tablet, kept, device="tablet")
    rest.api.send("POST", "/auth/logout", token=alice.token)
    assert held(rest, tablet) == [("tablet", "fcm", kept)]
    rest.api.send("POST", "/auth/logout", token=tablet.token, body={"all_devices": True})
    assert held(rest, tablet) == []


def test_a_device_that_logs_in_again_keeps_its_token(rest: Rest, alice: Login) -> None:
    token = fresh_token(rest)
    put(rest, alice, token)
    again = rest.login(alice.answer["user"])
    assert held(rest, again) == [("phone", "fcm", token)]


def test_an_erased_account_leaves_neither_token_nor_preferences_nor_log(rest: Rest, alice: Login) -> None:
    put(rest, alice, fresh_token(rest))
    rest.api.send("PUT", "/users/me/push-preferences", token=alice.token, body=NIGHTS)
    user_id = UserId(int(alice.answer["user"]["user_id"]))
    logged = LoggedPush(
        user_id=user_id,
        device_id=DeviceId("phone"),
        conversation_id=ConversationId("a" * 32),
        seq=Seq(1),
        task_id="t",
        provider="fcm",
        outcome="deferred",
        now_ms=1,
    )
    rest.rpc.database.transaction(lambda tx: claim_pushes(tx, [logged]))
    assert rest.api.send("DELETE", "/users/me", token=alice.token).status == 204
    left = " UNION ".join(
        f"SELECT user_id FROM {table} WHERE user_id = %s" for table in ("push_tokens", "push_preferences", "push_log")
    )
    assert rest.rpc.database.read(lambda tx: tx.query(left, (user_id,) * 3)) == []


def test_preferences_begin_with_the_defaults_and_are_replaced_as_a_whole(rest: Rest, alice: Login) -> None:
    path = "/users/me/push-preferences"
    assert rest.api.send("GET", path, token=alice.token).json == DEFAULTS
    body = {**NIGHTS, "previews": False, "language": "zh"}
    for _ in range(2):
        answer = rest.api.send("PUT", path, token=alice.token, body=body)
        assert (answer.status, answer.json) == (200, body)
    assert rest.api.send("GET", path, token=alice.token).json == body
    assert rest.api.send("PUT", path, token=alice.token, body={"language": "zh"}).json == DEFAULTS | {"language": "zh"}


@pytest.mark.parametrize(
    ("body", "fields"),
    [
        ({"time_zone": "Mars/Olympus"}, ["time_zone"]),
        ({"quiet_hours": {"start": "25:00", "end": "07:00"}}, ["quiet_hours.start"]),
        ({"quiet_hours": {"start": "07:00", "end": "07:00"}, "time_zone": "x"}, ["time_zone", "quiet_hours.end"]),
        ({"quiet_hours": {"start": "07:00"}}, ["quiet_hours"]),
        ({"previews": "yes", "language": "tlh"}, ["previews", "language"]),
    ],
)
def test_preferences_that_break_rules_are_refused(rest: Rest, alice: Login, body: object, fields: list[str]) -> None:
    answer = rest.api.send("PUT", "/users/me/push-preferences", token=alice.token, body=body)
    assert (answer.code, answer.fields) == ("invalid_request", fields)


def test_a_browser_learns_what_to_subscribe_with_once_it_is_logged_in(rest: Rest, alice: Login) -> None:
    answer = rest.api.send("GET", "/push/vapid-key", token=alice.token)
    assert (answer.status, answer.json) == (200, {"public_key": VAPID_PUBLIC_KEY})
    assert rest.api.send("GET", "/push/vapid-key").status == 401


def test_a_token_never_shows_itself() -> None:
    held = PushToken(user_id=UserId(1), device_id=DeviceId("phone"), provider="fcm", token="secret")
    assert "secret" not in repr(held)
