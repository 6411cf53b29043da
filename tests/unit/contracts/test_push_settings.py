import json
from typing import Any

import pytest

from gochat_contracts.push_settings import (
    MAX_TOKEN_CHARACTERS,
    Provider,
    PushPreferencesBody,
    PushTokenBody,
    QuietHours,
    check_push_preferences,
    check_push_token,
    token_identity,
)
from gochat_core.bodies import read_body
from gochat_core.errors import InvalidRequest

# The browser's of RFC 8291, section 5.
KEYS = {
    "p256dh": "BCVxsr7N_eNgVRqvHtD0zTZsEc6-VV-JvLexhqUzORcxaOzi6-AYWXvTBHm4bjyPjs7Vd8pZGH6SRpkNtoIAiw4",
    "auth": "BTBZMqHH6r4Tts7J_aSIgg",
}


def subscription(endpoint: str = "https://fcm.googleapis.com/fcm/send/abc", **keys: str) -> str:
    return json.dumps({"endpoint": endpoint, "expirationTime": None, "keys": KEYS | keys})


def test_an_apns_token_is_kept_in_lower_case() -> None:
    assert check_push_token("apns", "AB" * 32) == "ab" * 32


def test_a_subscription_is_kept_without_what_nobody_needs_and_known_by_its_endpoint() -> None:
    kept = check_push_token("webpush", subscription())
    assert json.loads(kept) == {"endpoint": "https://fcm.googleapis.com/fcm/send/abc", "keys": KEYS}
    other = check_push_token("webpush", subscription(auth="B" * 22))
    assert kept != other
    assert token_identity("webpush", kept) == token_identity("webpush", other)


@pytest.mark.parametrize(
    ("provider", "token"),
    [
        ("apns", "ab" * 31),
        ("apns", "ab" * 101),
        ("apns", "xy" * 32),
        ("apns", "ab" * 32 + "a"),
        ("apns", "ab" * 32 + "\n"),
        ("fcm", "short"),
        ("fcm", "a" * 1025),
        ("fcm", "a" * 40 + " b"),
        ("fcm", "a" * 40 + "\x00"),
        ("webpush", "{"),
        ("webpush", "[]"),
        ("webpush", "[" * 4000),
        ("webpush", subscription("http://fcm.googleapis.com/x")),
        ("webpush", subscription("https://example.org/x")),
        ("webpush", subscription("https://127.0.0.1/x")),
        ("webpush", subscription("https://169.254.169.254/latest/meta-data")),
        ("webpush", subscription("https://fcm.googleapis.com.example.org/x")),
        ("webpush", subscription("https://evilpush.apple.com.example/x")),
        ("webpush", subscription("https://fcm.googleapis.com:8443/x")),
        ("webpush", subscription("https://user@fcm.googleapis.com/x")),
        ("webpush", subscription("https://fcm.googleapis.com/\u00e9")),
        ("webpush", subscription("https://fcm.googleapis.com/a b")),
        ("webpush", subscription("https://fcm.googleapis.com:port/")),
        ("webpush", subscription("https://fcm.googleapis.com/" + "a" * 1024)),
        ("webpush", subscription("https://localhost/x")),
        ("webpush", subscription("https://[::1]/x")),
        ("webpush", subscription("https://[::ffff:10.0.0.1]/x")),
        ("webpush", subscription("https://2130706433/x")),
        ("webpush", subscription("https://fcm.googleapis.com.:443/x")),
        ("webpush", subscription("https://fcm.googleapis.com%2eexample.org/x")),
        ("webpush", subscription("https://example.org\\@fcm.googleapis.com/x")),
        ("webpush", subscription("https://fcm.googleapis.com/x\r\nHost: example.org")),
        ("webpush", subscription("https://push.apple.com/x")),
        ("webpush", subscription("file:///etc/passwd")),
        ("webpush", subscription("https:///x")),
        ("webpush", subscription("")),
        ("webpush", subscription(p256dh="B" + "A" * 86)),
        ("webpush", subscription(p256dh="C" + KEYS["p256dh"][1:])),
        ("webpush", subscription(p256dh="AAAA")),
        ("webpush", subscription(auth="A" * 21)),
        ("webpush", subscription(auth="not base64!")),
        ("webpush", json.dumps({"endpoint": "https://fcm.googleapis.com/x"})),
    ],
)
def test_a_token_that_its_provider_can_not_have_given_is_refused_without_repeating_it(
    provider: Provider, token: str
) -> None:
    with pytest.raises(InvalidRequest) as refused:
        check_push_token(provider, token)
    assert [fault.field for fault in refused.value.faults] == ["token"]
    assert token not in refused.value.faults[0].message


@pytest.mark.parametrize(
    ("body", "fields"),
    [
        ({}, ["provider", "token"]),
        ({"provider": "pigeon", "token": "x"}, ["provider"]),
        ({"provider": "fcm", "token": ""}, ["token"]),
        ({"provider": "fcm", "token": "a" * (MAX_TOKEN_CHARACTERS + 1)}, ["token"]),
        ({"provider": None, "token": 5}, ["provider", "token"]),
    ],
)
def test_every_fault_of_a_token_is_told(body: dict[str, Any], fields: list[str]) -> None:
    with pytest.raises(InvalidRequest) as refused:
        read_body(PushTokenBody, json.dumps(body))
    assert [fault.field for fault in refused.value.faults] == fields


@pytest.mark.parametrize("zone", ["Mars/Olympus", "", "../../etc/passwd", "Asia/Shanghai\x00", "localtime", "utc+8"])
def test_a_zone_that_nobody_lives_in_is_refused(zone: str) -> None:
    with pytest.raises(InvalidRequest) as refused:
        check_push_preferences(PushPreferencesBody(time_zone=zone))
    assert [fault.field for fault in refused.value.faults] == ["time_zone"]


def test_quiet_hours_have_an_hour_and_may_pass_midnight() -> None:
    check_push_preferences(PushPreferencesBody(quiet_hours=QuietHours(start="22:00", end="07:00")))
    with pytest.raises(InvalidRequest):
        check_push_preferences(PushPreferencesBody(quiet_hours=QuietHours(start="22:00", end="22:00")))
