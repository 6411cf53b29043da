"""One REST request, read strictly: bearer token, path, query and body, with every fault told."""

import base64
import binascii
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, TypeVar

import msgspec

from gochat_core.bodies import read_body
from gochat_core.errors import FieldFault, InvalidRequest, PayloadTooLarge, Unauthenticated
from gochat_core.tokens import Identity
from gochat_core.tracing import Trace

MAX_BODY_BYTES = 64 * 1024

DEFAULT_LIMIT = 50
MAX_LIMIT = 100
"""Of every paged list (protocol, conventions)."""

MAX_KEY_CHARACTERS = 255
_MAX_SEQ = (1 << 63) - 1

_BEARER = "bearer "

_KEY = re.compile(rf"[ -~]{{1,{MAX_KEY_CHARACTERS}}}")

BodyT = TypeVar("BodyT", bound=msgspec.Struct)


@dataclass(frozen=True, kw_only=True)
class Request:
    """What a route works on. `identity` is None on the routes that are open."""

    request_id: str
    trace: Trace
    deadline_s: float
    path: Mapping[str, str]
    query: Mapping[str, str]
    headers: Mapping[str, str]
    source_ip: str
    raw_body: bytes | None
    identity: Identity | None = None
    key: str | None = None
    """The Idempotency-Key that im-logic is to keep; None without one, and on routes that change nothing."""

    def caller(self) -> Identity:
        """Return who calls; the route was not open, so there is one."""
        if self.identity is None:
            raise Unauthenticated
        return self.identity

    def body(self, *, max_bytes: int = MAX_BODY_BYTES) -> bytes:
        """Return the body, an absent one as an empty object; raises `PayloadTooLarge` or `InvalidRequest`."""
        if self.raw_body is None:
            raise InvalidRequest("The body is not valid base64")
        if len(self.raw_body) > max_bytes:
            raise PayloadTooLarge(f"The body may have at most {max_bytes} bytes")
        return self.raw_body.strip() or b"{}"

    def read(self, shape: type[BodyT]) -> BodyT:
        """Decode the body; raises `InvalidRequest` with every fault."""
        return read_body(shape, self.body())

    def limit(self) -> int:
        """Return how long a page is to be."""
        return self.integer("limit", least=1, most=MAX_LIMIT) or DEFAULT_LIMIT

    def integer(self, name: str, *, least: int = 0, most: int = _MAX_SEQ) -> int | None:
        """Return a parameter that is a whole number; None when it is absent."""
        text = self.query.get(name)
        if text is None:
            return None
        is_number = text.isascii() and text.isdigit() and len(text) <= len(str(_MAX_SEQ))
        if not is_number or not least <= int(text) <= most:
            raise InvalidRequest(faults=[FieldFault(field=name, message=f"must be a whole number, {least} to {most}")])
        return int(text)

    def idempotency_key(self) -> str | None:
        """Return the header Idempotency-Key, if there is one."""
        key = self.headers.get("idempotency-key")
        if key is not None and not _KEY.fullmatch(key):
            message = f"must have 1 to {MAX_KEY_CHARACTERS} characters of printable ASCII"
            raise InvalidRequest(faults=[FieldFault(field="Idempotency-Key", message=message)])
        return key


def bearer_token(headers: Mapping[str, str]) -> str:
    """Return the token of the Authorization header; raises `Unauthenticated` when there is none."""
    authorization = headers.get("authorization", "")
    if not authorization.lower().startswith(_BEARER):
        raise Unauthenticated
    return authorization[len(_BEARER) :].strip()


def lower_headers(event: Mapping[str, Any]) -> dict[str, str]:
    """Return an event's headers with names in lower case, as HTTP/2 has them."""
    return {name.lower(): value for name, value in (event.get("headers") or {}).items()}


def clean(values: Mapping[str, str]) -> dict[str, str]:
    """Return texts that UTF-8 can carry: what was percent-encoded badly shows as `?` and is then simply not found."""
    return {name: value.encode("utf-8", "replace").decode() for name, value in values.items()}


def raw_body(event: Mapping[str, Any]) -> bytes | None:
    """Return an event's body as bytes; None when it claims to be base64 and is not."""
    text = event.get("body") or ""
    if not event.get("isBase64Encoded"):
        return text.encode("utf-8", "surrogatepass") if isinstance(text, str) else b""
    try:
        return base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError):
        return None
