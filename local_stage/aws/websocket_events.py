"""Build the events that a WebSocket API hands to functions: handshake, context, message and disconnect."""

from __future__ import annotations

import base64
import secrets
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any
from urllib.parse import parse_qs

Event = dict[str, Any]


@dataclass(frozen=True, kw_only=True)
class Handshake:
    """What a client sent to open a connection; header names in the case it sent."""

    headers: list[tuple[str, str]]
    query_string: str
    source_ip: str

    def header(self, name: str) -> str | None:
        """Find a header whatever its case."""
        return next((value for key, value in self.headers if key.lower() == name.lower()), None)


@dataclass(frozen=True, kw_only=True)
class ConnectionFacts:
    """What stays the same for all events of one connection."""

    api_id: str
    stage: str
    domain_name: str
    connection_id: str
    connected_at_ms: int
    source_ip: str
    user_agent: str
    stage_variables: Mapping[str, str] = field(default_factory=dict)


def new_identifier() -> str:
    """Draw an id in the shape of API Gateway's connection, message and request ids: 16 characters, `=` at the end."""
    return base64.urlsafe_b64encode(secrets.token_bytes(11)).decode()


def request_context(
    facts: ConnectionFacts, *, route_key: str, event_type: str, authorizer: Mapping[str, Any] | None
) -> Event:
    """Make the `requestContext` of one event.

    Source: API Gateway, "Set up a WebSocket API integration request", $context variables.
    """
    request_id = new_identifier()
    now = datetime.now(UTC)
    context: Event = {
        "routeKey": route_key,
        "eventType": event_type,
        "extendedRequestId": request_id,
        "requestTime": f"{now:%d/%b/%Y:%H:%M:%S} +0000",
        "messageDirection": "IN",
        "stage": facts.stage,
        "connectedAt": facts.connected_at_ms,
        "requestTimeEpoch": int(now.timestamp() * 1000),
        "identity": {"sourceIp": facts.source_ip, "userAgent": facts.user_agent},
        "requestId": request_id,
        "domainName": facts.domain_name,
        "connectionId": facts.connection_id,
        "apiId": facts.api_id,
    }
    if authorizer is not None:
        context["authorizer"] = dict(authorizer)
    return context


def connect_event(facts: ConnectionFacts, handshake: Handshake, authorizer: Mapping[str, Any] | None) -> Event:
    """Make the CONNECT event, the one event with the client's headers and query string."""
    context = request_context(facts, route_key="$connect", event_type="CONNECT", authorizer=authorizer)
    return _with_variables(facts, {**handshake_fields(handshake), "requestContext": context, "isBase64Encoded": False})


def message_event(facts: ConnectionFacts, *, route_key: str, body: str, authorizer: Mapping[str, Any] | None) -> Event:
    """Make the MESSAGE event of one frame."""
    context = request_context(facts, route_key=route_key, event_type="MESSAGE", authorizer=authorizer)
    context["messageId"] = new_identifier()
    return _with_variables(facts, {"requestContext": context, "body": body, "isBase64Encoded": False})


def disconnect_event(facts: ConnectionFacts, *, code: int, reason: str, authorizer: Mapping[str, Any] | None) -> Event:
    """Make the DISCONNECT event; its headers are API Gateway's own."""
    context = request_context(facts, route_key="$disconnect", event_type="DISCONNECT", authorizer=authorizer)
    context.update(disconnectStatusCode=code, disconnectReason=reason)
    headers = {"Host": facts.domain_name, "x-api-key": "", "X-Forwarded-For": facts.source_ip, "x-restapi": ""}
    return _with_variables(
        facts,
        {
            "headers": headers,
            "multiValueHeaders": {name: [value] for name, value in headers.items()},
            "requestContext": context,
            "isBase64Encoded": False,
        },
    )


def authorizer_event(facts: ConnectionFacts, handshake: Handshake, *, method_arn: str) -> Event:
    """Make the event of the REQUEST authorizer of `$connect`."""
    context = request_context(facts, route_key="$connect", event_type="CONNECT", authorizer=None)
    return {
        "type": "REQUEST",
        "methodArn": method_arn,
        **handshake_fields(handshake),
        "stageVariables": dict(facts.stage_variables),
        "requestContext": context,
    }


def handshake_fields(handshake: Handshake) -> Event:
    """Give headers and query string in their single- and multi-value forms; of repeated ones the last value wins."""
    headers = [*handshake.headers, *_forwarding_headers(handshake)]
    query = parse_qs(handshake.query_string, keep_blank_values=True)
    many: dict[str, list[str]] = {}
    for name, value in headers:
        many.setdefault(name, []).append(value)
    fields: Event = {
        "headers": {name: values[-1] for name, values in many.items()},
        "multiValueHeaders": many,
    }
    if query:
        fields["queryStringParameters"] = {name: values[-1] for name, values in query.items()}
        fields["multiValueQueryStringParameters"] = query
    return fields


def error_frame(message: str, context: Mapping[str, Any]) -> Event:
    """Make what API Gateway itself sends to a client when a route fails."""
    return {"message": message, "connectionId": context["connectionId"], "requestId": context["requestId"]}


def _forwarding_headers(handshake: Handshake) -> list[tuple[str, str]]:
    return [
        ("X-Amzn-Trace-Id", f"Root=1-{int(time.time()):08x}-{secrets.token_hex(12)}"),
        ("X-Forwarded-For", handshake.source_ip),
        ("X-Forwarded-Port", "443"),
        ("X-Forwarded-Proto", "https"),
    ]


def _with_variables(facts: ConnectionFacts, event: Event) -> Event:
    if facts.stage_variables:
        event["stageVariables"] = dict(facts.stage_variables)
    return event
