"""Routes of WebSocket APIs on the local AWS choose, invoke and answer as API Gateway's."""

from __future__ import annotations

import json
import time

import pytest
from websockets.exceptions import ConnectionClosed

from .conftest import LocalAws
from .websocket_api import ECHO_EVENT, WebSocketApi, create_api, exchange


@pytest.fixture(scope="module")
def api(aws: LocalAws) -> WebSocketApi:
    api = create_api(aws, "routes")
    echo = aws.create_function("routes-echo", ECHO_EVENT)
    broken = aws.create_function("routes-broken", "def handler(event, context): raise ValueError('no')")
    malformed = aws.create_function("routes-malformed", "def handler(event, context): return {'body': 'x'}")
    slow = aws.create_function(
        "routes-slow",
        "import json, time\n"
        "def handler(event, context):\n"
        "    body = json.loads(event['body'])\n    time.sleep(body['seconds'])\n"
        "    return {'statusCode': 200, 'body': str(body['seconds'])}\n",
    )
    for key in ("$connect", "$disconnect", "$default", "echo"):
        api.add_route(key, echo)
    api.add_route("silent", echo, answers=False)
    api.add_route(
        "empty", aws.create_function("routes-empty", "def handler(event, context): return {'statusCode': 200}")
    )
    api.add_route("broken", broken, answers=False)
    api.add_route("malformed", malformed)
    api.add_route("slow", slow)
    return api


def test_the_action_chooses_the_route(api: WebSocketApi) -> None:
    """API Gateway: "Route selection expressions"."""
    with api.connect() as socket:
        assert exchange(socket, '{"action":"echo"}')["requestContext"]["routeKey"] == "echo"


@pytest.mark.parametrize(
    "frame", ['{"action":"unknown"}', "no json", "[]", '{"action":{}}', "{}", '{"action":"$connect"}', "[" * 30_000]
)
def test_whatever_selects_no_route_goes_to_default(api: WebSocketApi, frame: str) -> None:
    """API Gateway: "Create routes for WebSocket APIs", the $default route."""
    with api.connect() as socket:
        event = exchange(socket, frame)
        assert event["requestContext"]["routeKey"] == "$default"
        assert event["body"] == frame


def test_a_route_without_a_route_response_stays_silent(api: WebSocketApi) -> None:
    """API Gateway: "Set up route responses for WebSocket APIs"."""
    with api.connect() as socket:
        socket.send('{"action":"silent"}')
        assert exchange(socket, '{"action":"echo"}')["requestContext"]["routeKey"] == "echo"
        with pytest.raises(TimeoutError):
            socket.recv(timeout=0.3)


def test_a_route_with_a_route_response_sends_even_an_empty_answer(api: WebSocketApi) -> None:
    """API Gateway: "Set up a WebSocket API integration response": proxy output is the complete payload."""
    with api.connect() as socket:
        socket.send('{"action":"empty"}')
        assert socket.recv(timeout=20) == ""


def test_a_failing_function_sends_internal_server_error(api: WebSocketApi) -> None:
    """API Gateway: "Set up a WebSocket API integration response", error responses; also on a one-way route."""
    with api.connect() as socket:
        connection_id = exchange(socket, "{}")["requestContext"]["connectionId"]
        for action in ("broken", "malformed"):
            error = exchange(socket, json.dumps({"action": action}))
            assert error["message"] == "Internal server error"
            assert error["connectionId"] == connection_id
            assert error["requestId"]


def test_frames_of_one_connection_run_concurrently(api: WebSocketApi) -> None:
    """Lambda: "Understanding Lambda function scaling"; API Gateway invokes a route for each frame on its own."""
    with api.connect() as socket:
        for _ in range(2):  # the second time both environments are warm
            socket.send('{"action":"slow","seconds":1.0}')
            socket.send('{"action":"slow","seconds":0.2}')
            answers = [socket.recv(timeout=20), socket.recv(timeout=20)]
        assert answers == ["0.2", "1.0"]


def test_a_message_event_has_awss_context(api: WebSocketApi) -> None:
    """API Gateway: "Set up a WebSocket API integration request", $context variables."""
    before = int(time.time() * 1000)
    with api.connect() as socket:
        event = exchange(socket, '{"action":"echo"}')
        later = exchange(socket, '{"action":"echo"}')
    context = event["requestContext"]
    assert event["isBase64Encoded"] is False
    assert "headers" not in event
    assert context["eventType"] == "MESSAGE"
    assert context["messageDirection"] == "IN"
    assert (context["stage"], context["apiId"]) == ("test", api.api_id)
    assert context["domainName"].startswith(f"{api.api_id}.execute-api.")
    assert context["identity"]["sourceIp"] == "127.0.0.1"
    assert before <= context["connectedAt"] <= context["requestTimeEpoch"]
    assert later["requestContext"]["connectedAt"] == context["connectedAt"]
    for name in ("messageId", "requestId", "extendedRequestId"):
        assert context[name] != later["requestContext"][name]
    assert len(context["connectionId"]) == 16
    assert context["connectionId"].endswith("=")


def test_a_mock_integration_answers_without_a_function(api: WebSocketApi) -> None:
    """API Gateway: "Set up a WebSocket API integration response"; "Template selection expressions"."""
    client = api.aws.client("apigatewayv2")
    integration = client.create_integration(
        ApiId=api.api_id, IntegrationType="MOCK", TemplateSelectionExpression="200",
        RequestTemplates={"200": '{"statusCode":200}'},
    )["IntegrationId"]  # fmt: skip
    client.create_integration_response(
        ApiId=api.api_id, IntegrationId=integration, IntegrationResponseKey="/200/", TemplateSelectionExpression="200",
        ResponseTemplates={"200": '{"event":"pong","connection":"$context.connectionId"}'},
    )  # fmt: skip
    api.add_integration_route("ping", integration, answers=True)
    with api.connect() as socket:
        connection_id = exchange(socket, "{}")["requestContext"]["connectionId"]
        assert exchange(socket, '{"action":"ping"}') == {"event": "pong", "connection": connection_id}


def test_an_api_without_default_forbids_unknown_actions(aws: LocalAws) -> None:
    """API Gateway: "Create routes for WebSocket APIs": without $default, a non-matching message is an error."""
    api = create_api(aws, "no-default")
    with api.connect() as socket:
        assert exchange(socket, '{"action":"x"}')["message"] == "Forbidden"


@pytest.mark.parametrize(
    ("message", "code"),
    [("x" * 32_769, 1009), (["x" * 30_000] * 5, 1009), (b"binary", 1003)],
    ids=["a frame over 32 KiB", "a message over 128 KiB", "a binary frame"],
)
def test_what_is_too_large_or_binary_closes_the_connection(
    api: WebSocketApi, message: str | bytes | list[str], code: int
) -> None:
    """API Gateway: "Quotas for configuring and running a WebSocket API"; binary: "Working with binary media types"."""
    with api.connect() as socket:
        try:
            socket.send(message)
            socket.recv(timeout=10)
        except ConnectionClosed:
            pass
        else:
            pytest.fail("The connection stayed open.")
        assert socket.close_code == code


def test_a_fragmented_message_within_the_limits_arrives_whole(api: WebSocketApi) -> None:
    """API Gateway: "Quotas for configuring and running a WebSocket API", message payload size 128 KB."""
    with api.connect() as socket:
        socket.send(["ä" * 15_000] * 3)
        assert json.loads(socket.recv(timeout=20))["body"] == "ä" * 45_000
