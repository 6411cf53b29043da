"""Be the CORS of HTTP APIs: preflights are answered by the API itself, and its configuration's headers alone count."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ministack.services import apigateway

from local_stage.aws.pinned import replace

Answer = tuple[int, dict[str, Any], bytes]

_ANY = "*"
_PREFIX = "access-control-"


def install() -> None:
    """Take the place of MiniStack's CORS answers, which read what CloudFormation wrote under other names."""
    replace(apigateway, "_cors_response_headers", response_headers)
    replace(apigateway, "_cors_preflight_response", preflight)


def response_headers(configuration: Mapping[str, Any], origin: str | None) -> dict[str, Any]:
    """Give the headers of a response to a page of `origin`; none to a request that names no origin, or another.

    Source: API Gateway, "Configure CORS for HTTP APIs in API Gateway".
    """
    settings = _as_the_api_names_them(configuration)
    allowed = [one.lower() for one in settings.get("allowOrigins") or []]
    if not origin or (_ANY not in allowed and origin.lower() not in allowed):
        return {}
    headers: dict[str, Any] = {"Access-Control-Allow-Origin": _ANY if _ANY in allowed else origin}
    if _ANY not in allowed:
        headers["Vary"] = "Origin"
        if settings.get("allowCredentials"):
            headers["Access-Control-Allow-Credentials"] = "true"
    if settings.get("exposeHeaders"):
        headers["Access-Control-Expose-Headers"] = ",".join(settings["exposeHeaders"])
    return headers


def preflight(configuration: Mapping[str, Any], origin: str | None) -> Answer:
    """Answer an OPTIONS request: 204, with headers for an origin that is allowed and without for any other."""
    settings = _as_the_api_names_them(configuration)
    headers = response_headers(settings, origin)
    if headers:
        headers.pop("Access-Control-Expose-Headers", None)
        for name, key in (("Methods", "allowMethods"), ("Headers", "allowHeaders")):
            if settings.get(key):
                headers[f"Access-Control-Allow-{name}"] = ",".join(settings[key])
        if settings.get("maxAge") is not None:
            headers["Access-Control-Max-Age"] = str(settings["maxAge"])
    return 204, {**headers, "Content-Length": "0"}, b""


def without_cors(answer: Answer) -> Answer:
    """Give an integration's answer without CORS headers of its own: a configured API ignores them."""
    status, headers, body = answer
    return status, {name: value for name, value in headers.items() if not name.lower().startswith(_PREFIX)}, body


def _as_the_api_names_them(configuration: Mapping[str, Any]) -> dict[str, Any]:
    """Write the fields as the API does (`allowOrigins`); CloudFormation's begin with a capital."""
    return {name[:1].lower() + name[1:]: value for name, value in (configuration or {}).items()}
