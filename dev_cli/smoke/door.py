"""Calls a stage's REST API for one user, patiently: a database that pauses takes half a minute to wake."""

import time
from collections.abc import Callable
from typing import Any

import httpx

from dev_cli.failure import Failure

_TIMEOUT_S = 35.0
_UNAVAILABLE = 503
_TOO_MANY = 429


class Door:
    """The REST API; with a token, for whom it was given to. Every refusal is a Failure."""

    def __init__(
        self,
        http_url: str,
        *,
        patience_s: float,
        transport: httpx.BaseTransport | None = None,
        pause: Callable[[float], None] = time.sleep,
    ) -> None:
        self.http_url = http_url.rstrip("/")
        self._client = httpx.Client(base_url=f"{self.http_url}/api/v1", timeout=_TIMEOUT_S, transport=transport)
        self._patience_s = patience_s
        self._pause = pause
        self.token = ""

    def close(self) -> None:
        """Close the connections."""
        self._client.close()

    def call(self, method: str, path: str, body: dict[str, Any] | None = None, **query: Any) -> dict[str, Any]:
        """Give the answer's object; waits and asks again while the server asks for that, within our patience."""
        deadline = time.monotonic() + self._patience_s
        while True:
            answer = self._request(method, path, body, query)
            if answer.status_code not in (_UNAVAILABLE, _TOO_MANY) or time.monotonic() > deadline:
                break
            self._pause(min(float(answer.headers.get("retry-after", 1)), self._patience_s))
        if not answer.is_success:
            raise Failure(
                f"{method} {path} was answered with {answer.status_code} {_code(answer)}".rstrip(),
                advice=f"Its request id is {answer.headers.get('x-request-id', 'not told')}: look for it in the logs.",
            )
        return dict(answer.json()) if answer.content else {}

    def _request(self, method: str, path: str, body: dict[str, Any] | None, query: dict[str, Any]) -> httpx.Response:
        headers = {"authorization": f"Bearer {self.token}"} if self.token else {}
        try:
            return self._client.request(method, path, json=body, params=query, headers=headers)
        except httpx.HTTPError as error:
            raise Failure(
                f"{self.http_url} does not answer: {error or type(error).__name__}.",
                advice="Is this the stage's HTTP URL, and is the stage deployed?",
            ) from error


def _code(answer: httpx.Response) -> str:
    try:
        body = answer.json()
    except ValueError:
        return answer.text[:200]
    return str(body.get("code", "")) if isinstance(body, dict) else ""
