"""/media: what is signed for whom, under which id, and what is refused."""

import dataclasses
import re
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest

from gochat_core.base64url import decode_base64url
from logic.media.media_ids import Disposition, parse_media_id
from tests.fakes.http_api import HttpAnswer
from tests.integration.rest.conftest import HTTP_URL, MEDIA_ENDPOINT, Login, Rest, build_rest, build_rpc

PICTURE = {"mime": "image/png", "size": 1234}
ALLOWED = "image/*, audio/*, video/*, text/*, application/*"


@pytest.fixture
def alice(rest: Rest) -> Login:
    return rest.login(rest.register("alice"))


def upload(rest: Rest, login: Login, body: object = PICTURE, *, key: str | None = None) -> HttpAnswer:
    headers = {} if key is None else {"Idempotency-Key": key}
    return rest.api.send("POST", "/media", token=login.token, body=body, headers=headers)


def path_of(answer: HttpAnswer) -> str:
    url: str = answer.json["url"]
    assert url.startswith(f"{HTTP_URL}/api/v1/media/")
    return url.removeprefix(f"{HTTP_URL}/api/v1")


def query_of(url: str) -> dict[str, str]:
    return {name: value for name, (value,) in parse_qs(urlsplit(url).query).items()}


def test_an_upload_is_signed_for_one_type_one_length_and_a_quarter_of_an_hour(rest: Rest, alice: Login) -> None:
    answer = upload(rest, alice)
    assert (answer.status, answer.json["expires_in"]) == (201, 900)
    assert answer.json["headers"] == {"content-length": "1234", "content-type": "image/png"}
    signed = query_of(answer.json["upload_url"])
    assert (signed["X-Amz-Expires"], signed["X-Amz-SignedHeaders"]) == ("900", "content-length;content-type;host")
    user_id = alice.answer["user"]["user_id"]
    key = answer.json["upload_url"].partition("?")[0]
    assert re.fullmatch(rf"{MEDIA_ENDPOINT}/media/inline/{user_id}/[0-9a-f]{{32}}", key)


def test_the_stable_url_leads_to_the_key_that_was_uploaded_for_some_minutes(rest: Rest, alice: Login) -> None:
    made = upload(rest, alice)
    answer = rest.api.send("GET", path_of(made))
    assert (answer.status, answer.text, answer.headers["cache-control"]) == (307, "", "private, max-age=240")
    location = answer.headers["location"]
    assert location.partition("?")[0] == made.json["upload_url"].partition("?")[0]
    signed = query_of(location)
    assert (signed["X-Amz-Expires"], signed["response-content-disposition"]) == ("300", "inline")
    assert "immutable" in signed["response-cache-control"]


@pytest.mark.parametrize(
    ("mime", "disposition"),
    [
        ("image/jpeg", "inline"),
        ("audio/webm;codecs=opus", "inline"),
        ("video/mp4", "inline"),
        ("image/svg+xml", "attachment"),
        ("IMAGE/SVG+XML; charset=utf-8", "attachment"),
        ("text/html", "attachment"),
        ("application/xhtml+xml", "attachment"),
        ("application/pdf", "attachment"),
        ("text/plain; charset=utf-8", "attachment"),
    ],
)
def test_only_pictures_sound_and_film_are_shown_in_place(rest: Rest, alice: Login, mime: str, disposition: str) -> None:
    made = upload(rest, alice, {"mime": mime, "size": 1})
    assert made.json["headers"]["content-type"] == mime
    location = rest.api.send("GET", path_of(made)).headers["location"]
    assert query_of(location)["response-content-disposition"] == disposition


def test_an_id_that_was_made_to_say_inline_leads_to_where_nothing_lies(rest: Rest, alice: Login) -> None:
    made = upload(rest, alice, {"mime": "text/html", "size": 1})
    prefix, _, media_id = path_of(made).rpartition("/")
    # The check within an id is no secret: anybody can write one.
    forged = dataclasses.replace(parse_media_id(media_id), disposition=Disposition.INLINE).media_id
    location = rest.api.send("GET", f"{prefix}/{forged}").headers["location"]
    assert query_of(location)["response-content-disposition"] == "inline"
    assert location.partition("?")[0] != made.json["upload_url"].partition("?")[0]


@pytest.mark.parametrize(
    "body",
    [
        {"mime": "font/woff2", "size": 1},
        {"mime": "image", "size": 1},
        {"mime": "image/", "size": 1},
        {"mime": "image/*", "size": 1},
        {"mime": "image/png\r\nx-amz-acl: public-read", "size": 1},
        {"mime": "image/p ng", "size": 1},
        {"mime": "imäge/png", "size": 1},
        {"mime": "text/plain; " + "a=b; " * 60, "size": 1},
        {"mime": "", "size": 1},
    ],
)
def test_a_type_that_is_none_or_not_allowed_is_refused_with_those_that_are(
    rest: Rest, alice: Login, body: object
) -> None:
    answer = upload(rest, alice, body)
    assert (answer.status, answer.code) == (400, "invalid_request")
    assert answer.json["errors"] == [{"field": "mime", "message": f"must be one of {ALLOWED}"}]


@pytest.mark.parametrize("size", [0, -1, 104_857_601, 1 << 62, 1 << 63, -(1 << 63), 10**18])
def test_a_size_that_is_not_allowed_is_refused_with_the_one_that_is(rest: Rest, alice: Login, size: int) -> None:
    answer = upload(rest, alice, {"mime": "image/png", "size": size})
    assert (answer.status, answer.code) == (400, "invalid_request")
    assert answer.json["errors"] == [{"field": "size", "message": "must be 1 to 104857600 bytes"}]


def test_every_fault_is_told_at_once(rest: Rest, alice: Login) -> None:
    assert upload(rest, alice, {"mime": "x", "size": 0}).fields == ["mime", "size"]
    assert upload(rest, alice, {"mime": 5, "size": "1"}).fields == ["mime", "size"]
    assert upload(rest, alice, {}).fields == ["mime", "size"]
    assert upload(rest, alice, {"mime": "image/png", "size": 1.5}).fields == ["size"]


def test_the_largest_file_and_the_types_are_settings(rest: Rest, alice: Login) -> None:
    environ = rest.rpc.environ | {"GOCHAT_MEDIA_MAX_BYTES": "10", "GOCHAT_MEDIA_TYPES": "image/png, audio/*"}
    narrow = build_rest(build_rpc(environ, rest.secret), rest.secret)
    assert upload(narrow, alice, {"mime": "image/png", "size": 10}).status == 201
    assert upload(narrow, alice, {"mime": "audio/mp4", "size": 10}).status == 201
    answer = upload(narrow, alice, {"mime": "image/jpeg", "size": 11})
    messages = [fault["message"] for fault in answer.json["errors"]]
    assert messages == ["must be one of image/png, audio/*", "must be 1 to 10 bytes"]


def test_a_repeat_under_its_key_is_the_same_file_with_an_upload_that_is_good(rest: Rest, alice: Login) -> None:
    first, again = upload(rest, alice, key="k"), upload(rest, alice, key="k")
    assert (first.status, again.status) == (201, 201)
    assert first.json["url"] == again.json["url"]
    assert upload(rest, alice, key="other").json["url"] != first.json["url"]
    assert upload(rest, alice, {"mime": "image/png", "size": 1}, key="k").code == "idempotency_conflict"
    stored = "SELECT COUNT(*) FROM idempotency_keys WHERE response LIKE '%X-Amz-Signature%'"
    assert rest.rpc.database.read(lambda tx: tx.query(stored)) == [(0,)]


def test_ids_of_two_uploads_have_nothing_in_common_but_their_user(rest: Rest, alice: Login) -> None:
    ids = {path_of(upload(rest, alice)).rpartition("/")[2] for _ in range(20)}
    assert len({decode_base64url(one)[13:] for one in ids}) == 20


@pytest.mark.parametrize("media_id", ["x", "0" * 39, "A" * 39, "é" * 39, "%2e%2e", "A" * 10_000])
def test_what_cannot_be_an_id_is_not_found_without_a_look(rest: Rest, media_id: str) -> None:
    before = rest.rpc.round_trips()
    answer = rest.api.send("GET", f"/media/{media_id}")
    assert (answer.status, answer.code) == (404, "media_not_found")
    assert rest.rpc.round_trips() == before


def test_an_id_with_one_sign_changed_is_none(rest: Rest, alice: Login) -> None:
    path = path_of(upload(rest, alice))
    for place in range(len(path) - 39, len(path)):
        other = "A" if path[place] != "A" else "B"
        assert rest.api.send("GET", path[:place] + other + path[place + 1 :]).status == 404


@pytest.mark.needs_redis
def test_signing_asks_no_store(rest: Rest, alice: Login) -> None:
    upload(rest, alice)
    before = rest.rpc.round_trips()
    made = upload(rest, alice)
    assert rest.rpc.round_trips() == (before[0], before[1] + 1), "the state of the login alone"
    rest.api.send("GET", path_of(made))
    assert rest.rpc.round_trips() == (before[0], before[1] + 1)


def test_credentials_of_a_role_sign_with_their_session(rest: Rest, alice: Login) -> None:
    environ = rest.rpc.environ | {"AWS_SESSION_TOKEN": "IQoJb3Jp+/=="}
    rpc: Any = build_rpc(environ, rest.secret)
    signed = query_of(upload(build_rest(dataclasses.replace(rpc), rest.secret), alice).json["upload_url"])
    assert signed["X-Amz-Security-Token"] == "IQoJb3Jp+/=="
