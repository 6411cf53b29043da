"""API Gateway's HTTP API in front of a handler: makes its events (payload format 2.0), reads its answers."""

import base64
import json
import uuid
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import parse_qsl, urlsplit

from tests.fakes.openapi_document import check_answer

Handler = Callable[[dict[str, Any], Any], dict[str, Any]]


class LambdaContext:
    """What Lambda tells a function about its invocation."""

    function_name = "test"
    aws_request_id = "invocation-1"

    def get_remaining_time_in_millis(self) -> int:
        """Return the time left."""
        return 29_000


@dataclass(frozen=True, kw_only=True)
class HttpAnswer:
    """One answer, as a client sees it."""

    status: int
    headers: Mapping[str, str]
    text: str

    @property
    def json(self) -> Any:
        """Return the body's value."""
        return json.loads(self.text)

    @property
    def code(self) -> str:
        """Return the code of a problem."""
        assert self.headers["content-type"] == "application/problem+json", self.text
        code = self.json["code"]
        assert isinstance(code, str)
        return code

    @property
    def fields(self) -> list[str]:
        """Return the fields at fault."""
        return [fault["field"] for fault in self.json["errors"]]


class HttpApi:
    """Sends requests to a handler, and fails for an answer that docs/api/openapi.yaml does not promise."""

    def __init__(self, handler: Handler) -> None:
        self._handler = handler

    def send(
        self,
        method: str,
        url: str,
        *,
        body: object = None,
        token: str | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> HttpAnswer:
        """Send one request; `url` begins behind /api/v1, a body that is text or bytes goes as it is."""
        answer = self.ask(method, url, body=body, token=token, headers=headers)
        value = json.loads(answer.text) if answer.text else None
        check_answer(method, urlsplit(url).path, status=answer.status, headers=answer.headers, value=value)
        return answer

    def ask(
        self,
        method: str,
        url: str,
        *,
        body: object = None,
        token: str | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> HttpAnswer:
        """Send one request that is none of the document's, such as a browser's preflight."""
        parts = urlsplit("/api/v1" + url)
        sent = {"Content-Type": "application/json", **(headers or {})}
        if token is not None:
            sent["Authorization"] = f"Bearer {token}"
        event: dict[str, Any] = {
            "version": "2.0",
            "routeKey": "$default",
            "rawPath": parts.path,
            "rawQueryString": parts.query,
            "headers": {name.lower(): value for name, value in sent.items()},
            "requestContext": {
                "requestId": uuid.uuid4().hex,
                "stage": "$default",
                "http": {"method": method, "path": parts.path, "protocol": "HTTP/1.1", "sourceIp": "192.0.2.7"},
            },
            "isBase64Encoded": False,
        }
        if parts.query:
            event["queryStringParameters"] = dict(parse_qsl(parts.query, keep_blank_values=True))
        if isinstance(body, bytes):
            event |= {"body": base64.b64encode(body).decode(), "isBase64Encoded": True}
        elif body is not None:
            event["body"] = body if isinstance(body, str) else json.dumps(body, ensure_ascii=False)
        returned = self._handler(event, LambdaContext())
        return HttpAnswer(
            status=returned["statusCode"],
            headers={name.lower(): value for name, value in returned["headers"].items()},
            text=returned.get("body") or "",
        )
