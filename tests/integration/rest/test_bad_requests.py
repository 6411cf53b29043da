"""Every route, whichever it is, refuses what breaks the contract: the exact code, a problem, a request id, no effect.

The routes, their methods and their bodies come from the code and from docs/api/openapi.yaml, so that a new route is
tried as well. That an answer is one of those which the document promises is checked with each request.
"""

import json
import re
from collections.abc import Iterator
from typing import Any

import pytest

from gateway.http.app import ROUTES, methods_of
from gateway.http.request import MAX_BODY_BYTES
from gateway.http.routes.sync import MAX_SYNC_BYTES
from gateway.http.routing import PREFIX, Route
from gochat_core.clock import SystemClock
from gochat_core.token_signing import TokenSigner, parse_token_secret
from gochat_core.tokens import ACCESS_LIFETIME_S
from gochat_core.types import DeviceId, SessionId, UserId
from tests.fakes.http_api import HttpAnswer
from tests.fakes.openapi_document import document, resolve
from tests.integration.rest.conftest import Login, Rest, Rpc, build_rest

METHODS = ("GET", "POST", "PUT", "PATCH", "DELETE", "HEAD", "OPTIONS", "TRACE", "PROPFIND")
SAMPLE = {"conversation_id": "0" * 32}
"""What stands for a parameter of a path; 1 for whatever is not named here."""


def name_of(route: Route) -> str:
    return f"{route.method} {route.path}"


def url_of(route: Route) -> str:
    return re.sub(r"<(\w+)>", lambda found: SAMPLE.get(found[1], "1"), route.path)


def operation_of(route: Route) -> Any:
    return document()["paths"][re.sub(r"<(\w+)>", r"{\1}", route.path)][route.method.lower()]


def body_schema_of(route: Route) -> Any:
    body = operation_of(route).get("requestBody")
    return None if body is None else resolve(body["content"]["application/json"]["schema"])


GUARDED = [route for route in ROUTES if not route.is_open]
WITH_BODY = [route for route in ROUTES if body_schema_of(route) is not None]


def properties() -> Iterator[Any]:
    """Yield each field of each route's body."""
    for route in WITH_BODY:
        for name, schema in body_schema_of(route).get("properties", {}).items():
            yield pytest.param(route, name, resolve(schema), id=f"{name_of(route)} {name}")


@pytest.fixture(scope="module")
def rest(rpc: Rpc, token_secret: str) -> Rest:
    """Open one door for all: nothing here has an effect."""
    return build_rest(rpc, token_secret)


@pytest.fixture(scope="module")
def alice(rest: Rest) -> Login:
    return rest.login(rest.register("alice"))


def check_problem(answer: HttpAnswer, status: int, code: str) -> None:
    assert (answer.status, answer.code) == (status, code), answer.text
    assert answer.json["request_id"] == answer.headers["x-request-id"]
    assert answer.headers["cache-control"] == "no-store"


def token_of_age(rest: Rest, login: Login, age_s: int) -> str:
    """Return an access token for the user of a login, as it was signed some time ago."""
    user_id = UserId(int(login.answer["user"]["user_id"]))
    issued_at_ms = SystemClock().now_ms() - age_s * 1000
    signer = TokenSigner(parse_token_secret(rest.secret))
    return signer.access_token(user_id, DeviceId("phone"), SessionId(1), issued_at_ms=issued_at_ms)


@pytest.mark.parametrize("route", GUARDED, ids=name_of)
def test_without_a_good_token_nothing_else_is_looked_at(rest: Rest, alice: Login, route: Route) -> None:
    head, payload, signature = alice.token.split(".")
    unsigned = "eyJhbGciOiJub25lIn0"  # {"alg":"none"}
    for authorization in (
        None,
        "",
        "Bearer",
        "Bearer ",
        "Basic YWxpY2U6eA==",
        alice.token,
        "Bearer garbled",
        f"Bearer {head}.{payload}.{signature[:-4]}AAAA",
        f"Bearer {unsigned}.{payload}.",
        f"Bearer {head}.{payload}",
        f"Bearer {alice.refresh_token}",
        "Bearer " + "x" * 10_000,
    ):
        headers = {} if authorization is None else {"Authorization": authorization}
        answer = rest.api.send(route.method, url_of(route), body="not json", headers=headers)
        check_problem(answer, 401, "unauthenticated")
        assert answer.headers["www-authenticate"] == "Bearer"


@pytest.mark.parametrize("route", GUARDED, ids=name_of)
def test_a_token_whose_time_is_over_is_told_apart(rest: Rest, alice: Login, route: Route) -> None:
    token = token_of_age(rest, alice, ACCESS_LIFETIME_S + 60)
    check_problem(rest.api.send(route.method, url_of(route), token=token, body="not json"), 401, "token_expired")


@pytest.mark.parametrize("path", sorted({url_of(route) for route in ROUTES}))
def test_a_path_names_its_methods_to_whoever_uses_another(rest: Rest, alice: Login, path: str) -> None:
    allowed = methods_of(PREFIX + path)
    for method in METHODS:
        if method not in allowed:
            answer = rest.api.send(method, path, token=alice.token, body="not json")
            check_problem(answer, 405, "method_not_allowed")
            assert answer.headers["allow"] == ", ".join(allowed)
    check_problem(rest.api.send("GET", path + "/no/such/path", token=alice.token), 404, "not_found")


@pytest.mark.parametrize("path", sorted({url_of(route) for route in ROUTES}))
def test_a_browser_that_asks_whether_it_may_call_is_not_refused(rest: Rest, path: str) -> None:
    asked = {"Origin": "https://chat.example.org", "Access-Control-Request-Method": "POST"}
    assert rest.api.ask("OPTIONS", path, headers=asked).status == 204
    assert rest.api.ask("OPTIONS", path + "/no/such/path", headers=asked).status == 404


@pytest.mark.parametrize("route", WITH_BODY, ids=name_of)
def test_a_body_that_is_no_json_object_is_refused(rest: Rest, alice: Login, route: Route) -> None:
    for body in (
        "x", "[]", "null", '"text"', "1", "{", '{"a":}', "{'a':1}", '{"a":1} {"b":2}', '{"a":NaN}', "\ufeff{}",
        b"\xff\xfe", b'{"a":"\xff"}', b'{"a":"\xed\xa0\x80"}', b'{"a":"\xc0\x80"}', b'\x00{}',
    ):  # fmt: skip
        answer = rest.api.send(route.method, url_of(route), token=alice.token, body=body)
        check_problem(answer, 400, "invalid_request")


@pytest.mark.parametrize("route", WITH_BODY, ids=name_of)
def test_a_body_that_is_too_large_is_refused_unread(rest: Rest, alice: Login, route: Route) -> None:
    most = MAX_SYNC_BYTES if route.path == "/sync" else MAX_BODY_BYTES
    smileys = json.dumps({"a": "😀" * (most // 4)}, ensure_ascii=False)
    for body in ("x" * (most + 1), b"\xff" * (most + 1), smileys):
        answer = rest.api.send(route.method, url_of(route), token=alice.token, body=body)
        check_problem(answer, 413, "payload_too_large")


@pytest.mark.parametrize("route", WITH_BODY, ids=name_of)
def test_a_body_that_nests_for_ever_is_refused(rest: Rest, alice: Login, route: Route) -> None:
    names = ["unknown", *body_schema_of(route).get("properties", {})]
    for name in names:
        for deep in ("[" * 15_000 + "]" * 15_000, '{"a":' * 5_000 + "1" + "}" * 5_000, "[" * 15_000):
            answer = rest.api.send(route.method, url_of(route), token=alice.token, body=f'{{"{name}":{deep}}}')
            check_problem(answer, 400, "invalid_request")


@pytest.mark.parametrize(("route", "name", "schema"), list(properties()))
def test_a_field_of_another_type_is_named(rest: Rest, alice: Login, route: Route, name: str, schema: Any) -> None:
    for value in wrong_values(schema):
        answer = rest.api.send(route.method, url_of(route), token=alice.token, body={name: value})
        check_problem(answer, 400, "invalid_request")
        assert any(field == name or field.startswith(f"{name}.") for field in answer.fields), (value, answer.text)


@pytest.mark.parametrize("route", WITH_BODY, ids=name_of)
def test_every_field_that_is_missing_is_named_and_unknown_ones_are_not(rest: Rest, alice: Login, route: Route) -> None:
    required = set(body_schema_of(route).get("required", []))
    if not required:
        return
    for body in ({}, {"unknown": 1, "": 2, "__class__": [], "constructor": {}}):
        answer = rest.api.send(route.method, url_of(route), token=alice.token, body=body)
        check_problem(answer, 400, "invalid_request")
        assert set(answer.fields) == required


def wrong_values(schema: Any) -> list[object]:
    """Return values whose JSON type the schema does not allow."""
    kinds = types_of(schema)
    samples: dict[str, object] = {
        "string": "text", "integer": 7, "number": 1.5, "boolean": True, "null": None, "array": [1], "object": {"a": 1}
    }  # fmt: skip
    allowed = kinds | ({"integer"} if "number" in kinds else set())
    return [value for kind, value in samples.items() if kind not in allowed]


def types_of(schema: Any) -> set[str]:
    schema = resolve(schema)
    if "oneOf" in schema:
        return set().union(*(types_of(one) for one in schema["oneOf"]))
    if "const" in schema or "enum" in schema:
        return {"string"}
    kinds = schema["type"]
    return {kinds} if isinstance(kinds, str) else set(kinds)
