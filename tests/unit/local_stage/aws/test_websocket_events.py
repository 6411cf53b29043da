"""Events of WebSocket APIs have the shapes that API Gateway documents."""

from __future__ import annotations

from local_stage.aws.websocket_events import (
    ConnectionFacts,
    Handshake,
    authorizer_event,
    connect_event,
    disconnect_event,
    message_event,
    new_identifier,
)

FACTS = ConnectionFacts(
    api_id="0badcafe", stage="local", domain_name="0badcafe.execute-api.localhost", connection_id="L0SM9cOFvHcCIhw=",
    connected_at_ms=1_700_000_000_000, source_ip="127.0.0.1", user_agent="agent",
)  # fmt: skip
HANDSHAKE = Handshake(
    headers=[("Host", "x"), ("Sec-WebSocket-Protocol", "gochat.v1, bearer.t")],
    query_string="ticket=a%2Bb&ticket=c",
    source_ip="127.0.0.1",
)


def test_an_identifier_looks_like_api_gateways() -> None:
    identifiers = {new_identifier() for _ in range(100)}
    assert len(identifiers) == 100
    assert all(len(each) == 16 and each.endswith("=") for each in identifiers)


def test_only_connect_carries_query_parameters() -> None:
    connect = connect_event(FACTS, HANDSHAKE, None)
    assert connect["queryStringParameters"] == {"ticket": "c"}
    assert connect["multiValueQueryStringParameters"] == {"ticket": ["a+b", "c"]}
    assert connect["headers"]["Sec-WebSocket-Protocol"] == "gochat.v1, bearer.t"
    assert "authorizer" not in connect["requestContext"]
    message = message_event(FACTS, route_key="$default", body="x", authorizer=None)
    assert "headers" not in message
    assert "queryStringParameters" not in message


def test_a_disconnect_event_tells_code_and_reason() -> None:
    event = disconnect_event(FACTS, code=1001, reason="Going away", authorizer={"user": "alice"})
    context = event["requestContext"]
    assert (context["disconnectStatusCode"], context["disconnectReason"]) == (1001, "Going away")
    assert context["authorizer"] == {"user": "alice"}
    assert "body" not in event


def test_an_authorizer_event_is_a_request_on_connect() -> None:
    event = authorizer_event(FACTS, HANDSHAKE, method_arn="arn:x/$connect")
    assert (event["type"], event["methodArn"]) == ("REQUEST", "arn:x/$connect")
    assert event["requestContext"]["connectionId"] == "L0SM9cOFvHcCIhw="
    assert event["stageVariables"] == {}
