"""Be the Lambda proxy integration of HTTP APIs, payload format 2.0, with API Gateway's limits and failures."""

from __future__ import annotations

import asyncio
import base64
import binascii
import json
import secrets
import time
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from ministack.core.responses import get_request_client_ip
from ministack.services import apigateway

from local_stage.aws import api_tables
from local_stage.aws.api_tables import Record
from local_stage.aws.http_cors import without_cors
from local_stage.aws.pinned import replace, require
from local_stage.aws.websocket_events import new_identifier

Answer = tuple[int, dict[str, Any], bytes]

# "Payload size 10 MB", "Maximum integration timeout 30 seconds" (API Gateway, quotas for HTTP APIs).
BODY_LIMIT_BYTES = 10 * 1024 * 1024
INTEGRATION_LIMIT_S = 30.0

require(apigateway, "_v2_request_body_is_text", "_raw_query_string", "_invoke_lambda_proxy")


@dataclass(frozen=True, kw_only=True)
class HttpRequest:
    """One request as the HTTP API got it; header names in lower case, repeated ones joined."""

    api_id: str
    account: str
    domain_name: str
    stage: str
    route_key: str
    method: str
    path: str
    raw_query_string: str
    query: Mapping[str, list[str]]
    headers: Mapping[str, str]
    path_parameters: Mapping[str, str] | None
    body: bytes
    source_ip: str
    authorizer: Record | None


def install() -> None:
    """Take the place of MiniStack's Lambda proxy integration of HTTP APIs."""
    original = apigateway._invoke_lambda_proxy

    async def invoke(
        integration: Record, api_id: str, stage: str, path: str, method: str, headers: dict[str, str], body: bytes,
        query_params: dict[str, list[str]], route_key: str = "$default", path_params: Record | None = None,
        **options: Any,
    ) -> Any:  # fmt: skip
        api = api_tables.find(api_id)
        if api is None or str(integration.get("payloadFormatVersion", "2.0")) != "2.0":
            return await original(
                integration, api_id, stage, path, method, headers, body, query_params, route_key, path_params, **options
            )
        if len(body or b"") > BODY_LIMIT_BYTES:
            return failure(413, "Request Entity Too Large")
        request = HttpRequest(
            api_id=api_id, account=api.account, domain_name=api.domain_name, stage=stage, route_key=route_key,
            method=method, path=path if stage == "$default" else f"/{stage}{path}",
            raw_query_string=apigateway._raw_query_string(query_params, options.get("raw_query_string")),
            query=query_params or {}, headers=headers, path_parameters=path_params, body=body or b"",
            source_ip=get_request_client_ip(), authorizer=_authorizer(options),
        )  # fmt: skip
        limit = min(float(integration.get("timeoutInMillis") or 30_000) / 1000, INTEGRATION_LIMIT_S)
        try:
            result = await asyncio.wait_for(
                api.invoke(str(integration.get("integrationUri", "")), proxy_event(request)), limit
            )
        except TimeoutError:
            return failure(503, "Service Unavailable")
        # "API Gateway treats all invocation and function errors as internal errors" (Lambda, "Handling Lambda errors
        # with an API Gateway API"); an HTTP API spells it in capitals.
        if result is None or result.get("error") or result.get("throttle"):
            return failure(500, "Internal Server Error")
        answer = proxy_response(result.get("body"))
        return without_cors(answer) if api.record().get("corsConfiguration") else answer

    replace(apigateway, "_invoke_lambda_proxy", invoke)


def proxy_event(request: HttpRequest) -> Record:
    """Make the event of a request.

    Source: API Gateway, "Create AWS Lambda proxy integrations for HTTP APIs", payload format version 2.0.
    """
    headers = {name: value for name, value in request.headers.items() if name != "cookie"}
    headers.setdefault("x-forwarded-for", request.source_ip)
    headers.setdefault("x-forwarded-port", "443")
    headers.setdefault("x-forwarded-proto", "https")
    headers.setdefault("x-amzn-trace-id", f"Root=1-{int(time.time()):08x}-{secrets.token_hex(12)}")
    event: Record = {
        "version": "2.0",
        "routeKey": request.route_key,
        "rawPath": request.path,
        "rawQueryString": request.raw_query_string,
        "headers": headers,
        "requestContext": _request_context(request),
        "isBase64Encoded": False,
    }
    if request.headers.get("cookie"):
        event["cookies"] = [cookie.strip() for cookie in request.headers["cookie"].split(";")]
    if request.query:
        event["queryStringParameters"] = {name: ",".join(values) for name, values in request.query.items()}
    if request.path_parameters:
        event["pathParameters"] = dict(request.path_parameters)
    return {**event, **_event_body(request)}


def _request_context(request: HttpRequest) -> Record:
    now = datetime.now(UTC)
    context: Record = {
        "accountId": request.account,
        "apiId": request.api_id,
        "domainName": request.domain_name,
        "domainPrefix": request.api_id,
        "http": {
            "method": request.method,
            "path": request.path,
            "protocol": "HTTP/1.1",
            "sourceIp": request.source_ip,
            "userAgent": request.headers.get("user-agent", ""),
        },
        "requestId": new_identifier(),
        "routeKey": request.route_key,
        "stage": request.stage,
        "time": f"{now:%d/%b/%Y:%H:%M:%S} +0000",
        "timeEpoch": int(now.timestamp() * 1000),
    }
    if request.authorizer is not None:
        context["authorizer"] = request.authorizer
    return context


def _event_body(request: HttpRequest) -> Record:
    if not request.body:
        return {}
    if apigateway._v2_request_body_is_text(request.headers.get("content-type")):
        try:
            return {"body": request.body.decode()}
        except UnicodeDecodeError:
            pass
    return {"body": base64.b64encode(request.body).decode(), "isBase64Encoded": True}


def proxy_response(answer: Any) -> Answer:
    """Turn a function's answer into a response; without a `statusCode` the whole answer is the JSON body."""
    if not isinstance(answer, dict) or "statusCode" not in answer:
        if isinstance(answer, str):
            return 200, {"Content-Type": "application/json"}, answer.encode()
        return 200, {"Content-Type": "application/json"}, b"" if answer is None else json.dumps(answer).encode()
    status, body = answer["statusCode"], answer.get("body")
    try:
        status = int(status)
        content = _response_body(body, encoded=bool(answer.get("isBase64Encoded")))
    except (TypeError, ValueError, binascii.Error):
        return failure(500, "Internal Server Error")
    if not 100 <= status <= 599:
        return failure(500, "Internal Server Error")
    headers: dict[str, Any] = {}
    for name, value in (answer.get("headers") or {}).items():
        headers[str(name)] = str(value).lower() if isinstance(value, bool) else str(value)
    if not any(name.lower() == "content-type" for name in headers):
        headers["Content-Type"] = "text/plain;charset=utf-8"
    if answer.get("cookies"):
        own = [headers.pop(name) for name in list(headers) if name.lower() == "set-cookie"]
        headers["Set-Cookie"] = [*answer["cookies"], *own]
    return status, headers, content


def _response_body(body: Any, *, encoded: bool) -> bytes:
    if body is None:
        return b""
    text = body if isinstance(body, str) else json.dumps(body)
    return base64.b64decode(text, validate=True) if encoded else text.encode()


def failure(status: int, message: str) -> Answer:
    """Make the HTTP API's own answer."""
    return status, {"Content-Type": "application/json"}, json.dumps({"message": message}).encode()


def _authorizer(options: Mapping[str, Any]) -> Record | None:
    claims = options.get("authorizer_claims")
    if claims is not None:
        strings = {name: apigateway._jwt_claim_to_string(value) for name, value in claims.items()}
        return {"jwt": {"claims": strings, "scopes": options.get("authorizer_scopes") or []}}
    if options.get("authorizer_lambda_context") is not None:
        return {"lambda": options["authorizer_lambda_context"]}
    if options.get("authorizer_iam") is not None:
        return {"iam": options["authorizer_iam"]}
    return None
