"""Ask the REQUEST authorizer of a WebSocket API's `$connect` route whether a client may connect."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import parse_qs

from ministack.services import apigateway

from local_stage.aws.api_tables import Api, Record
from local_stage.aws.pinned import require
from local_stage.aws.websocket_events import ConnectionFacts, Handshake, authorizer_event

require(apigateway, "_evaluate_authorizer_policy", "_request_authorizer_identity_sources")


@dataclass(frozen=True, kw_only=True)
class Verdict:
    """`refusal` is the HTTP status and message for the client, or None; `context` goes into every later event."""

    refusal: tuple[int, str] | None
    context: Mapping[str, Any] | None = None


async def authorize(api: Api, route: Record, facts: ConnectionFacts, handshake: Handshake) -> Verdict:
    """Run the route's authorizer, if it has one.

    Source: API Gateway, "Create a Lambda REQUEST authorizer function" for WebSocket APIs, and "Output from an API
    Gateway Lambda authorizer": context values are strings, numbers or booleans, and arrive as strings.
    """
    if (route.get("authorizationType") or "NONE").upper() == "NONE":
        return Verdict(refusal=None)
    authorizer = api.authorizer(route)
    if authorizer is None:
        return Verdict(refusal=(500, "Internal server error"))
    if not _has_identity(authorizer, facts, handshake):
        return Verdict(refusal=(401, "Unauthorized"))
    method_arn = f"arn:aws:execute-api:{api.region}:{api.account}:{api.api_id}/{facts.stage}/$connect"
    answer = await api.invoke(
        str(authorizer.get("authorizerUri", "")), authorizer_event(facts, handshake, method_arn=method_arn)
    )
    if answer is None or answer.get("throttle"):
        return Verdict(refusal=(500, "Internal server error"))
    if answer.get("error"):
        # "If you want the client to receive a 401, raise Exception('Unauthorized')"; any other failure is a 500.
        unauthorized = (answer.get("body") or {}).get("errorMessage") == "Unauthorized"
        return Verdict(refusal=(401, "Unauthorized") if unauthorized else (500, "Internal server error"))
    return judge(answer.get("body"), method_arn)


def judge(answer: Any, method_arn: str) -> Verdict:
    """Read an authorizer's answer: its policy decides, and anything that is no policy is a failure."""
    if not isinstance(answer, dict) or not isinstance(answer.get("policyDocument"), dict):
        return Verdict(refusal=(500, "Internal server error"))
    context = answer.get("context") or {}
    if not isinstance(context, dict) or any(isinstance(value, dict | list) for value in context.values()):
        return Verdict(refusal=(500, "Internal server error"))
    decision = apigateway._evaluate_authorizer_policy(answer["policyDocument"], method_arn)
    if decision != "Allow":
        reason = " with an explicit deny" if decision == "Deny" else ""
        return Verdict(refusal=(403, f"User is not authorized to access this resource{reason}"))
    strings: dict[str, Any] = {name: _string(value) for name, value in context.items() if value is not None}
    strings["principalId"] = str(answer.get("principalId", ""))
    return Verdict(refusal=None, context={**strings, "integrationLatency": 1})


def _string(value: Any) -> str:
    return value if isinstance(value, str) else json.dumps(value)


def _has_identity(authorizer: Record, facts: ConnectionFacts, handshake: Handshake) -> bool:
    headers = {name.lower(): value for name, value in handshake.headers}
    query = parse_qs(handshake.query_string, keep_blank_values=True)
    present, _ = apigateway._request_authorizer_identity_sources(
        authorizer.get("identitySource") or [], headers, query, dict(facts.stage_variables)
    )
    return bool(present)
