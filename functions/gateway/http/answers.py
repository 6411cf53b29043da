"""What REST answers with: JSON, or RFC 9457 problems."""

import math
from collections.abc import Mapping
from dataclasses import dataclass, field

import msgspec

from gochat_core.errors import GochatError, TryLater, Unauthenticated

JSON = "application/json"
PROBLEM = "application/problem+json"

DEFAULT_RETRY_AFTER_MS = 5_000

_encode = msgspec.json.Encoder().encode


@dataclass(frozen=True, kw_only=True)
class Answer:
    """Status and JSON value; None means that there is no body (204)."""

    status: int = 200
    value: object = None
    content_type: str = JSON
    headers: Mapping[str, str] = field(default_factory=dict)
    code: str = "ok"

    def text(self) -> str | None:
        """Write the body: compact JSON in unescaped UTF-8."""
        return None if self.value is None else _encode(self.value).decode()


NO_CONTENT = Answer(status=204)


def problem(error: GochatError, *, request_id: str) -> Answer:
    """Render an error; what it says is safe to show."""
    return Answer(
        status=error.status,
        value={
            "type": f"urn:gochat:problem:{error.code}",
            "title": error.title,
            "status": error.status,
            "detail": error.detail,
            "code": error.code,
            "request_id": request_id,
            "errors": [{"field": one.field, "message": one.message} for one in error.faults],
        },
        content_type=PROBLEM,
        headers=_headers_of(error),
        code=error.code,
    )


def _headers_of(error: GochatError) -> dict[str, str]:
    headers: dict[str, str] = {}
    if isinstance(error, Unauthenticated):
        headers["www-authenticate"] = "Bearer"
    if isinstance(error, TryLater):
        wait_ms = error.retry_after_ms if error.retry_after_ms is not None else DEFAULT_RETRY_AFTER_MS
        headers["retry-after"] = str(max(1, math.ceil(wait_ms / 1000)))
    return headers
