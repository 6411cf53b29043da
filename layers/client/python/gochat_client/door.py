"""Calls a stage's REST API for one user, patiently: a database that pauses takes half a minute to wake."""

import http.client
import json
import ssl
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode, urlsplit

from gochat_client.faults import StepFailedError

API = "/api/v1"

_TIMEOUT_S = 35.0
_LATER = (429, 503)


@dataclass(frozen=True, kw_only=True)
class Answer:
    """What came back; the names of headers are in lower case."""

    status: int
    headers: Mapping[str, str]
    body: bytes

    @property
    def is_success(self) -> bool:
        """Whether it was done."""
        return 200 <= self.status < 300

    @property
    def code(self) -> str:
        """The stage's own word for what is wrong, or the beginning of what somebody else wrote."""
        try:
            told = json.loads(self.body)
        except ValueError:
            return self.body[:200].decode(errors="replace")
        return str(told.get("code", "")) if isinstance(told, dict) else ""


Send = Callable[[str, str, Mapping[str, str], bytes | None], Answer]
"""Makes one request (method, URL, headers, body) and gives the answer; OSError or HTTPException where there is none."""


class Door:
    """The REST API; with a token, for whom it was given to. Every refusal is a StepFailedError."""

    def __init__(
        self,
        http_url: str,
        *,
        patience_s: float,
        send: Send | None = None,
        pause: Callable[[float], None] = time.sleep,
    ) -> None:
        self.http_url = http_url.rstrip("/")
        self._patience_s = patience_s
        self._send = send or HttpSend()
        self._pause = pause
        self.token = ""

    def call(self, method: str, path: str, body: Mapping[str, Any] | None = None, **query: object) -> dict[str, Any]:
        """Give the answer's object; waits and asks again while the server asks for that, within our patience."""
        deadline = time.monotonic() + self._patience_s
        while True:
            answer = self._request(method, path, body, query)
            if answer.status not in _LATER or time.monotonic() > deadline:
                break
            self._pause(min(float(answer.headers.get("retry-after", 1)), self._patience_s))
        if not answer.is_success:
            raise StepFailedError(
                f"{method} {path} was answered with {answer.status} {answer.code}".rstrip(),
                advice=f"Its request id is {answer.headers.get('x-request-id', 'not told')}: look for it in the logs.",
                code=answer.code,
            )
        return dict(json.loads(answer.body)) if answer.body else {}

    def _request(self, method: str, path: str, body: Mapping[str, Any] | None, query: Mapping[str, object]) -> Answer:
        headers = {"authorization": f"Bearer {self.token}"} if self.token else {}
        if body is not None:
            headers["content-type"] = "application/json"
        url = f"{self.http_url}{API}{path}" + (f"?{urlencode(query)}" if query else "")
        try:
            return self._send(method, url, headers, None if body is None else json.dumps(body).encode())
        except (OSError, http.client.HTTPException) as error:
            raise StepFailedError(
                f"{self.http_url} does not answer: {error or type(error).__name__}.",
                advice="Is this the stage's HTTP URL, and is the stage deployed?",
            ) from error


class HttpSend:
    """Requests over a connection each, as a client that comes for one thing makes them."""

    def __init__(self, timeout_s: float = _TIMEOUT_S) -> None:
        self._timeout_s = timeout_s
        self._context: ssl.SSLContext | None = None

    def __call__(self, method: str, url: str, headers: Mapping[str, str], body: bytes | None) -> Answer:
        """Make one request. Raises OSError or HTTPException."""
        parts = urlsplit(url)
        connection = self._connection(parts.scheme, parts.netloc)
        try:
            connection.request(method, url.partition(parts.netloc)[2], body=body, headers=dict(headers))
            answer = connection.getresponse()
            told = {name.lower(): value for name, value in answer.getheaders()}
            return Answer(status=answer.status, headers=told, body=answer.read())
        finally:
            connection.close()

    def _connection(self, scheme: str, netloc: str) -> http.client.HTTPConnection:
        if scheme != "https":
            return http.client.HTTPConnection(netloc, timeout=self._timeout_s)
        # One context for all: making it reads the machine's authorities, 20 to 100 ms.
        self._context = self._context or ssl.create_default_context()
        return http.client.HTTPSConnection(netloc, timeout=self._timeout_s, context=self._context)
