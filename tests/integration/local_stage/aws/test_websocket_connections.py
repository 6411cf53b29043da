"""Opening, managing and ending WebSocket connections on the local AWS goes as with API Gateway."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Iterator
from typing import Any

import pytest
from botocore.exceptions import ClientError
from websockets.exceptions import ConnectionClosed, InvalidStatus
from websockets.sync.client import connect

from .conftest import LocalAws, start_local_aws
from .websocket_api import ECHO_EVENT, WebSocketApi, create_api, exchange

AUTHORIZER = """
def handler(event, context):
    token = (event.get("queryStringParameters") or {}).get("token", "")
    if token == "nobody":
        raise Exception("Unauthorized")
    if token == "broken":
        raise ValueError("broken")
    effect = "Deny" if token == "denied" else "Allow"
    return {
        "principalId": "alice",
        "policyDocument": {"Version": "2012-10-17", "Statement": [
            {"Action": "execute-api:Invoke", "Effect": effect,
             "Resource": event["methodArn"].rpartition("/")[0] + "/*"}]},
        "context": {"user": "alice", "number": 7, "yes": True},
    }
"""
GREETER = """
import json
def handler(event, context):
    headers = {name.lower(): value for name, value in event["headers"].items()}
    offered = [each.strip() for each in headers.get("sec-websocket-protocol", "").split(",")]
    if "refuse" in (event.get("queryStringParameters") or {}):
        return {"statusCode": 403}
    if "gochat.v1" in offered:
        return {"statusCode": 200, "headers": {"Sec-WebSocket-Protocol": "gochat.v1"}}
    return {"statusCode": 200}
"""
RECORDER = """
import json
def handler(event, context):
    print("EVENT " + json.dumps(event))
    return {"statusCode": 200}
"""


@pytest.fixture(scope="module")
def api(aws: LocalAws) -> WebSocketApi:
    return build(aws)


def build(aws: LocalAws) -> WebSocketApi:
    api = create_api(aws, "connections")
    authorizer = api.add_authorizer(aws.create_function("authorizer", AUTHORIZER))
    api.add_route(
        "$connect", aws.create_function("greeter", GREETER), AuthorizationType="CUSTOM", AuthorizerId=authorizer
    )
    api.add_route("$disconnect", aws.create_function("recorder", RECORDER))
    api.add_route("$default", aws.create_function("connections-echo", ECHO_EVENT))
    return api


def disconnect_event(aws: LocalAws, connection_id: str) -> Any:
    """Wait for the DISCONNECT event of a connection."""
    deadline = time.monotonic() + 20
    while time.monotonic() < deadline:
        try:
            events = aws.client("logs").filter_log_events(logGroupName="/aws/lambda/recorder")["events"]
        except ClientError:
            events = []
        for event in events:
            if event["message"].startswith("EVENT ") and connection_id in event["message"]:
                return json.loads(event["message"].removeprefix("EVENT "))
        time.sleep(0.05)
    raise AssertionError("No DISCONNECT event.")


def test_the_subprotocol_that_connect_answers_is_echoed(api: WebSocketApi) -> None:
    """API Gateway: "Set up a $connect route that requires a WebSocket subprotocol"."""
    with api.connect(subprotocols=["gochat.v1", "bearer.abc"]) as socket:
        assert socket.subprotocol == "gochat.v1"
    with api.connect() as socket:
        assert socket.subprotocol is None


@pytest.mark.parametrize(
    ("query", "status"), [("?token=nobody", 401), ("?token=denied", 403), ("?token=broken", 500), ("?refuse=1", 403)]
)
def test_a_refused_handshake_has_awss_status(api: WebSocketApi, query: str, status: int) -> None:
    """API Gateway: "Manage connected users and client apps: $connect and $disconnect routes", 401 and 403."""
    with pytest.raises(InvalidStatus) as refusal, api.connect(query):
        pass
    assert refusal.value.response.status_code == status


@pytest.mark.parametrize("path", ["/other", "", "/test/more"])
def test_an_unknown_stage_is_forbidden(api: WebSocketApi, path: str) -> None:
    """API Gateway: "Invoke WebSocket APIs": the URL names API and stage; anything else is 403 Forbidden."""
    url = api.url.removesuffix("/test") + path
    with pytest.raises(InvalidStatus) as refusal, connect(url, proxy=None):
        pass
    assert refusal.value.response.status_code == 403


def test_the_authorizers_context_reaches_every_event_as_strings(api: WebSocketApi) -> None:
    """API Gateway: "Output from an API Gateway Lambda authorizer"."""
    with api.connect("?token=ok") as socket:
        authorizer = exchange(socket, "{}")["requestContext"]["authorizer"]
    assert (authorizer["user"], authorizer["number"], authorizer["yes"]) == ("alice", "7", "true")
    assert authorizer["principalId"] == "alice"


def test_the_connect_event_has_headers_as_sent_and_the_query(aws: LocalAws) -> None:
    """API Gateway: "Set up a WebSocket API integration request": only CONNECT has headers and query parameters."""
    api = create_api(aws, "connect-event")
    api.add_route("$connect", aws.create_function("connect-recorder", RECORDER))
    with api.connect("?a=1&a=2&b=x%20y", additional_headers={"X-MiXed-Case": "kept"}):
        pass
    messages = [
        event["message"]
        for event in aws.client("logs").filter_log_events(logGroupName="/aws/lambda/connect-recorder")["events"]
    ]
    event = json.loads(next(each for each in messages if each.startswith("EVENT ")).removeprefix("EVENT "))
    assert event["headers"]["X-MiXed-Case"] == "kept"
    assert event["multiValueHeaders"]["X-MiXed-Case"] == ["kept"]
    assert event["headers"]["X-Forwarded-For"] == "127.0.0.1"
    assert event["queryStringParameters"] == {"a": "2", "b": "x y"}
    assert event["multiValueQueryStringParameters"] == {"a": ["1", "2"], "b": ["x y"]}
    assert event["requestContext"]["eventType"] == "CONNECT"
    assert event["requestContext"]["routeKey"] == "$connect"
    assert "messageId" not in event["requestContext"]


def test_posts_reach_the_client(api: WebSocketApi) -> None:
    """API Gateway Management API: PostToConnection."""
    with api.connect() as socket:
        connection_id = exchange(socket, "{}")["requestContext"]["connectionId"]
        api.management.post_to_connection(ConnectionId=connection_id, Data="grüße".encode())
        assert socket.recv(timeout=10) == "grüße"
        large = "x" * 131_072
        api.management.post_to_connection(ConnectionId=connection_id, Data=large.encode())
        assert socket.recv(timeout=10) == large


def test_a_post_over_128_kib_is_too_large(api: WebSocketApi) -> None:
    """API Gateway Management API: PostToConnection, PayloadTooLargeException."""
    with api.connect() as socket:
        connection_id = exchange(socket, "{}")["requestContext"]["connectionId"]
        with pytest.raises(api.management.exceptions.PayloadTooLargeException) as error:
            api.management.post_to_connection(ConnectionId=connection_id, Data=b"x" * 131_073)
    assert error.value.response["ResponseMetadata"]["HTTPStatusCode"] == 413


def test_a_post_to_a_connection_that_is_gone_answers_410(api: WebSocketApi) -> None:
    """API Gateway Management API: GoneException."""
    with api.connect() as socket:
        connection_id = exchange(socket, "{}")["requestContext"]["connectionId"]
    disconnect_event(api.aws, connection_id)
    with pytest.raises(api.management.exceptions.GoneException) as error:
        api.management.post_to_connection(ConnectionId=connection_id, Data=b"late")
    assert error.value.response["ResponseMetadata"]["HTTPStatusCode"] == 410
    with pytest.raises(ClientError, match="Invalid connectionId"):
        api.management.post_to_connection(ConnectionId="no-such-form", Data=b"late")


def test_a_post_before_connect_has_answered_gets_410(aws: LocalAws) -> None:
    """API Gateway: "Use @connections commands in your backend service": 410 while $connect is still running."""
    api = create_api(aws, "early")
    source = """
import boto3, os
def handler(event, context):
    rc = event["requestContext"]
    client = boto3.client("apigatewaymanagementapi", endpoint_url=os.environ["ENDPOINT"])
    try:
        client.post_to_connection(ConnectionId=rc["connectionId"], Data=b"x")
    except client.exceptions.GoneException:
        return {"statusCode": 200}
    return {"statusCode": 500}
"""
    endpoint = f"{aws.endpoint_url}/_aws/execute-api/{api.api_id}/test"
    api.add_route("$connect", aws.create_function("early", source, Environment={"Variables": {"ENDPOINT": endpoint}}))
    with api.connect(open_timeout=30):
        pass


def test_get_connection_tells_who_and_since_when(api: WebSocketApi) -> None:
    """API Gateway Management API: GetConnection."""
    with api.connect() as socket:
        connection_id = exchange(socket, "{}")["requestContext"]["connectionId"]
        first = api.management.get_connection(ConnectionId=connection_id)
        exchange(socket, "{}")
        second = api.management.get_connection(ConnectionId=connection_id)
    assert first["Identity"]["SourceIp"] == "127.0.0.1"
    assert "websockets" in first["Identity"]["UserAgent"]
    assert first["ConnectedAt"] == second["ConnectedAt"] <= first["LastActiveAt"] < second["LastActiveAt"]


def test_delete_connection_closes_with_1000_and_says_so(api: WebSocketApi) -> None:
    """API Gateway Management API: DeleteConnection."""
    with api.connect() as socket:
        connection_id = exchange(socket, "{}")["requestContext"]["connectionId"]
        api.management.delete_connection(ConnectionId=connection_id)
        with pytest.raises(api.management.exceptions.GoneException):
            api.management.get_connection(ConnectionId=connection_id)
        with pytest.raises(ConnectionClosed):
            socket.recv(timeout=10)
        assert socket.close_code == 1000
    context = disconnect_event(api.aws, connection_id)["requestContext"]
    assert (context["disconnectStatusCode"], context["disconnectReason"]) == (1000, "Connection Closed Normally")


def test_the_clients_close_code_and_reason_reach_disconnect(api: WebSocketApi) -> None:
    """API Gateway: "Manage connected users and client apps", $disconnect; $context.disconnectStatusCode."""
    with api.connect("?token=ok") as socket:
        connection_id = exchange(socket, "{}")["requestContext"]["connectionId"]
        socket.close(4001, "good bye")
    event = disconnect_event(api.aws, connection_id)
    context = event["requestContext"]
    assert (context["disconnectStatusCode"], context["disconnectReason"]) == (4001, "good bye")
    assert (context["eventType"], context["routeKey"]) == ("DISCONNECT", "$disconnect")
    assert context["authorizer"]["user"] == "alice"


def test_a_torn_connection_is_1006(api: WebSocketApi) -> None:
    """RFC 6455, 7.1.5: closed without a close frame."""
    with api.connect() as socket:
        connection_id = exchange(socket, "{}")["requestContext"]["connectionId"]
        socket.socket.shutdown(2)
    assert disconnect_event(api.aws, connection_id)["requestContext"]["disconnectStatusCode"] == 1006


@pytest.fixture(scope="module")
def hasty(tmp_path_factory: pytest.TempPathFactory) -> Iterator[WebSocketApi]:
    """An API on a local AWS that cuts silent connections after 0.5 s and every one after 2 s."""
    running = start_local_aws(
        tmp_path_factory.mktemp("hasty"), "--websocket-idle-s", "0.5", "--websocket-lifetime-s", "2"
    )
    yield build(running)
    running.process.terminate()
    running.process.wait(timeout=10)


def test_a_silent_connection_is_cut_with_1001(hasty: WebSocketApi) -> None:
    """API Gateway: "Quotas for configuring and running a WebSocket API", idle connection timeout 10 minutes."""
    with hasty.connect(ping_interval=None) as socket:
        connection_id = exchange(socket, "{}")["requestContext"]["connectionId"]
        with pytest.raises(ConnectionClosed):
            socket.recv(timeout=5)
        assert socket.close_code == 1001
    assert disconnect_event(hasty.aws, connection_id)["requestContext"]["disconnectStatusCode"] == 1001


def test_a_busy_connection_is_cut_at_the_end_of_its_life(hasty: WebSocketApi) -> None:
    """API Gateway: "Quotas for configuring and running a WebSocket API", connection duration 2 hours."""
    with hasty.connect() as socket:
        exchange(socket, "{}")
        opened = time.monotonic()
        stop = threading.Event()

        def chatter() -> None:
            while not stop.wait(0.1):
                socket.send("{}")

        thread = threading.Thread(target=chatter, daemon=True)
        thread.start()
        try:
            while True:
                socket.recv(timeout=5)
        except ConnectionClosed:
            stop.set()
        assert socket.close_code == 1001
        assert 1.0 < time.monotonic() - opened < 4.0
