import dataclasses
import json

import grpc
import pytest

from gateway.http.app import ROUTES
from gochat_aws.invoke_channel import InvokeChannel
from gochat_aws.invoke_outcome import InvokeRpcError
from tests.integration.rest.conftest import PASSWORD, Login, Rest, Rpc, Written, build_rest


@pytest.fixture
def alice(rest: Rest) -> Login:
    return rest.login(rest.register("alice"))


def test_health_needs_no_token_and_no_store(rest: Rest) -> None:
    answer = rest.api.send("GET", "/health")
    assert (answer.status, answer.json["status"]) == (200, "ok")


@pytest.mark.parametrize("path", ["/", "", "/nope", "/users", "/users/me/", "/auth", "/conversations/a/b/c", "/../x"])
def test_an_unknown_path_is_a_problem_of_ours(rest: Rest, path: str) -> None:
    answer = rest.api.send("GET", path)
    assert (answer.status, answer.code) == (404, "not_found")


@pytest.mark.parametrize(
    ("method", "path", "allowed"),
    [
        ("GET", "/auth/login", "POST"),
        ("PUT", "/users/me", "DELETE, GET, PATCH"),
        ("PATCH", "/users/5", "GET"),
        ("DELETE", "/conversations/x/messages", "GET, POST"),
        ("OPTIONS", "/health", "GET"),
        ("HEAD", "/health", "GET"),
    ],
)
def test_a_known_path_names_the_methods_that_it_has(rest: Rest, method: str, path: str, allowed: str) -> None:
    answer = rest.api.send(method, path)
    assert (answer.status, answer.code, answer.headers["allow"]) == (405, "method_not_allowed", allowed)


@pytest.mark.parametrize("route", [route for route in ROUTES if not route.is_open], ids=lambda route: route.path)
def test_every_route_but_the_open_ones_asks_for_a_token_first(rest: Rest, route: object) -> None:
    method, path = route.method, route.path.replace("<", "").replace(">", "")  # type: ignore[attr-defined]
    answer = rest.api.send(method, path, body="not json")
    assert (answer.status, answer.code) == (401, "unauthenticated")


@pytest.mark.parametrize(
    "body", ["", "x", "[]", "null", '"text"', '{"username":', b"\xff\xfe", b'{"username":"\xff"}', '{"a":1} {"b":2}']
)
def test_what_is_no_json_object_is_refused(rest: Rest, body: str | bytes) -> None:
    answer = rest.api.send("POST", "/auth/register", body=body)
    assert (answer.status, answer.code) == (400, "invalid_request")


def test_a_body_may_come_in_base64(rest: Rest) -> None:
    body = json.dumps({"username": rest.name("älice".replace("ä", "a")), "password": PASSWORD}).encode()
    assert rest.api.send("POST", "/auth/register", body=body).status == 201


def test_what_was_percent_encoded_badly_is_simply_not_found(rest: Rest, alice: Login) -> None:
    assert rest.api.send("GET", "/users/search?q=%FF%FE", token=alice.token).json["users"] == []
    assert rest.api.send("GET", "/users/search?q=a&cursor=%FF", token=alice.token).fields == ["cursor"]
    broken = "a\udcff"
    assert rest.api.send("GET", f"/users/search?q={broken}", token=alice.token).json["users"] == []
    assert rest.api.send("GET", "/users/me", headers={"Authorization": f"Bearer {broken}"}).status == 401


def test_a_body_that_is_too_large_is_refused_unread(rest: Rest, alice: Login) -> None:
    answer = rest.api.send("POST", "/auth/register", body="x" * (64 * 1024 + 1))
    assert (answer.status, answer.code) == (413, "payload_too_large")
    path = f"/conversations/{'0' * 32}/messages"
    answer = rest.api.send("POST", path, token=alice.token, body=" " * (32 * 1024 + 1))
    assert (answer.status, answer.code) == (413, "payload_too_large")


def test_a_problem_says_what_rfc_9457_and_the_protocol_want(rest: Rest) -> None:
    answer = rest.api.send("POST", "/auth/register", body={"username": "alice"})
    assert answer.json == {
        "type": "urn:gochat:problem:invalid_request",
        "title": "The request is not valid",
        "status": 400,
        "detail": "The request is not valid",
        "code": "invalid_request",
        "request_id": answer.headers["x-request-id"],
        "errors": [{"field": "password", "message": "is required"}],
    }


def test_every_answer_carries_the_request_id_that_the_logs_have(rest: Rest, alice: Login, written: Written) -> None:
    for method, path in [("GET", "/health"), ("GET", "/nope"), ("GET", "/users/me"), ("DELETE", "/health")]:
        written.take()
        answer = rest.api.send(method, path, token=alice.token)
        (line,) = written.lines("request")
        assert (line["service"], line["request_id"]) == ("gateway-http", answer.headers["x-request-id"])


def test_a_request_and_the_call_that_it_makes_share_request_id_and_trace(
    rest: Rest, alice: Login, written: Written
) -> None:
    written.take()
    answer = rest.api.send("GET", "/users/me", token=alice.token)
    text = written.take()
    lines = [json.loads(line) for line in text.splitlines() if '"message":' in line]
    assert [line["service"] for line in lines] == ["logic-rpc", "gateway-http"]
    assert {line["request_id"] for line in lines} == {answer.headers["x-request-id"]}
    assert {line["user_id"] for line in lines} == {alice.answer["user"]["user_id"]}
    assert len({line["trace_id"] for line in lines}) == 1


def failing(rpc: Rpc, secret: str, status: grpc.StatusCode) -> Rest:
    def carry(payload: bytes, timeout_s: float) -> bytes:
        raise InvokeRpcError(status, "SELECT secrets FROM internals")

    return build_rest(dataclasses.replace(rpc, channel=InvokeChannel(carry)), secret)


@pytest.mark.parametrize(
    ("status", "expected"),
    [
        (grpc.StatusCode.UNAVAILABLE, (503, "unavailable")),
        (grpc.StatusCode.DEADLINE_EXCEEDED, (503, "unavailable")),
        (grpc.StatusCode.RESOURCE_EXHAUSTED, (500, "internal_error")),
        (grpc.StatusCode.INTERNAL, (500, "internal_error")),
        (grpc.StatusCode.UNKNOWN, (500, "internal_error")),
        (grpc.StatusCode.UNIMPLEMENTED, (500, "internal_error")),
    ],
)
def test_a_logic_that_cannot_be_reached_is_told_without_internals(
    rest: Rest, alice: Login, status: grpc.StatusCode, expected: tuple[int, str]
) -> None:
    answer = failing(rest.rpc, rest.secret, status).api.send("GET", "/users/me", token=alice.token)
    assert (answer.status, answer.code) == expected
    assert "SELECT" not in answer.text
    assert ("retry-after" in answer.headers) is (expected[0] == 503)
