"""Run the route of one WebSocket event: the function or the mock behind it, and the frame that goes back."""

from __future__ import annotations

import asyncio
import json
import logging
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from local_stage.aws import mapping_templates
from local_stage.aws.api_tables import Api, Record
from local_stage.aws.websocket_events import (
    ConnectionFacts,
    Event,
    Handshake,
    connect_event,
    disconnect_event,
    error_frame,
    message_event,
)

logger = logging.getLogger("local_stage.aws.websocket")

# "Integration timeout: 50 milliseconds - 29 seconds" (API Gateway, quotas for WebSocket APIs).
INTEGRATION_LIMIT_S = 29.0


@dataclass(frozen=True, kw_only=True)
class Answer:
    """What an integration answered: a proxy answer's status, headers and body, or the platform's failure message."""

    status: int
    headers: Mapping[str, str]
    body: str
    failure: str | None = None


_FAILED = Answer(status=502, headers={}, body="", failure="Internal server error")
_TIMED_OUT = Answer(status=504, headers={}, body="", failure="Endpoint request timed out")
_NOTHING = Answer(status=200, headers={}, body="")


async def connect(
    api: Api, facts: ConnectionFacts, handshake: Handshake, authorizer: Mapping[str, Any] | None
) -> Answer:
    """Run `$connect`; an API without that route lets everybody in."""
    route = api.route("$connect")
    if route is None:
        return _NOTHING
    return await _integrate(api, route, connect_event(facts, handshake, authorizer), body="")


async def disconnect(
    api: Api, facts: ConnectionFacts, authorizer: Mapping[str, Any] | None, *, code: int, reason: str
) -> None:
    """Run `$disconnect`, if the API has it; what it answers is nobody's."""
    route = api.route("$disconnect")
    if route is not None:
        event = disconnect_event(facts, code=code, reason=reason, authorizer=authorizer)
        await _integrate(api, route, event, body="")


async def message(api: Api, facts: ConnectionFacts, authorizer: Mapping[str, Any] | None, body: str) -> str | None:
    """Run the route of a message and give the frame for the client, if there is one.

    Source: API Gateway, "Working with routes for WebSocket APIs": no matching route means `$default`. A route with a
    route response passes the integration's output on whatever it is: without a body it sends an empty frame (observed:
    github.com/serverless/serverless, issue 6816).
    """
    expression = api.record().get("routeSelectionExpression") or "$request.body.action"
    key = mapping_templates.select_route_key(expression, body)
    route = api.route(key) or api.route("$default")
    if route is None:
        event = message_event(facts, route_key=key, body=body, authorizer=authorizer)
        return json.dumps(error_frame("Forbidden", event["requestContext"]))
    event = message_event(facts, route_key=str(route["routeKey"]), body=body, authorizer=authorizer)
    answer = await _integrate(api, route, event, body=body)
    if answer.failure is not None:
        return json.dumps(error_frame(answer.failure, event["requestContext"]))
    return answer.body if api.answers(route) else None


async def _integrate(api: Api, route: Record, event: Event, *, body: str) -> Answer:
    integration = api.integration(route)
    kind = (integration or {}).get("integrationType")
    if integration is None:
        return _FAILED
    if kind == "MOCK":
        return mock(integration, api.integration_responses(integration), context=event["requestContext"], body=body)
    if kind != "AWS_PROXY":
        logger.error("Route %s: the local AWS runs AWS_PROXY and MOCK integrations, not %s.", route["routeKey"], kind)
        return _FAILED
    limit = min(float(integration.get("timeoutInMillis") or INTEGRATION_LIMIT_S * 1000) / 1000, INTEGRATION_LIMIT_S)
    try:
        answer = await asyncio.wait_for(api.invoke(str(integration.get("integrationUri", "")), event), limit)
    except TimeoutError:
        return _TIMED_OUT
    if answer is None or answer.get("error") or answer.get("throttle"):
        return _FAILED
    return proxy_answer(answer.get("body"))


def proxy_answer(answer: Any) -> Answer:
    """Read a function's proxy answer; without a status code it is malformed, as on AWS."""
    if not isinstance(answer, dict) or not str(answer.get("statusCode", "")).isdigit():
        return _FAILED
    body = answer.get("body") or ""
    headers = {str(name): str(value) for name, value in (answer.get("headers") or {}).items()}
    return Answer(
        status=int(answer["statusCode"]), headers=headers, body=body if isinstance(body, str) else json.dumps(body)
    )


def mock(integration: Record, responses: list[Record], *, context: Mapping[str, Any], body: str) -> Answer:
    """Answer without a backend: the request template names a status, which chooses the response and its template.

    Source: API Gateway, "Set up a WebSocket API integration response": the key is `$default` or `/expression/`.
    """
    try:
        template = mapping_templates.select_template(
            integration.get("requestTemplates") or {}, integration.get("templateSelectionExpression"),
            body=body, status=200,
        )  # fmt: skip
        request = mapping_templates.parse_body(
            mapping_templates.render(template, context=context, body=body) if template is not None else body
        )
        status = request.get("statusCode") if isinstance(request, dict) else None
        if not isinstance(status, int):
            return _FAILED
        response = select_response(responses, status)
        if response is None:
            return _NOTHING
        chosen = mapping_templates.select_template(
            response.get("responseTemplates") or {}, response.get("templateSelectionExpression"),
            body=body, status=status,
        )  # fmt: skip
        rendered = mapping_templates.render(chosen, context=context, body=body) if chosen is not None else ""
    except mapping_templates.UnsupportedTemplateError:
        logger.exception("A mock integration cannot be rendered.")
        return _FAILED
    return Answer(status=status, headers={}, body=rendered)


def select_response(responses: list[Record], status: int) -> Record | None:
    """Choose the integration response of a status: a matching expression before the catch-all."""
    by_key = {str(response.get("integrationResponseKey")): response for response in responses}
    for key, response in by_key.items():
        if key.startswith("/") and re.fullmatch(key.strip("/"), str(status)):
            return response
    return by_key.get("$default")
