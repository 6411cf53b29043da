"""Read the head of an HTTP/1.1 request and write small responses, without a framework: the @connections hot path."""

from __future__ import annotations

from dataclasses import dataclass
from email.utils import formatdate
from http import HTTPStatus


@dataclass(frozen=True, kw_only=True)
class RequestHead:
    """Request line and headers; header names as sent."""

    method: str
    path: str
    query_string: str
    headers: list[tuple[str, str]]

    def header(self, name: str) -> str | None:
        """Find a header whatever its case."""
        return next((value for key, value in self.headers if key.lower() == name), None)

    @property
    def upgrades(self) -> bool:
        """Whether the client asks for a WebSocket."""
        return (self.header("upgrade") or "").lower() == "websocket"

    @property
    def body_bytes(self) -> int | None:
        """The announced length of the body; None if only a full HTTP parser can tell."""
        if self.header("transfer-encoding") or self.header("expect"):
            return None
        length = self.header("content-length") or "0"
        return int(length) if length.isdigit() else None


def parse_head(data: bytes) -> RequestHead | None:
    """Split a request's head; None if it is not HTTP/1.1."""
    lines = data.decode("latin-1").split("\r\n")
    request_line = lines[0].split(" ")
    if len(request_line) != 3 or request_line[2] != "HTTP/1.1":
        return None
    headers = []
    for line in lines[1:]:
        if line:
            name, _, value = line.partition(":")
            headers.append((name, value.strip()))
    path, _, query_string = request_line[1].partition("?")
    return RequestHead(method=request_line[0], path=path, query_string=query_string, headers=headers)


def response(status: int, body: bytes = b"", *, headers: dict[str, str] | None = None, close: bool = False) -> bytes:
    """Format a JSON response."""
    lines = [
        f"HTTP/1.1 {status} {HTTPStatus(status).phrase}",
        "Content-Type: application/json",
        f"Content-Length: {len(body)}",
        f"Date: {formatdate(usegmt=True)}",
        *(f"{name}: {value}" for name, value in (headers or {}).items()),
    ]
    if close:
        lines.append("Connection: close")
    return ("\r\n".join(lines) + "\r\n\r\n").encode("latin-1") + body
