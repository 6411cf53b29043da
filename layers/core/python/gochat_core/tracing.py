"""Traces that follow a message from its frame to its posts, across Kafka, where X-Ray's own propagation ends.

Each function's own segment is written by Lambda (active tracing). For a sampled message each hop sends one more segment
with the *message's* trace id to the X-Ray daemon that runs beside the function, so that one trace shows the whole way.
"""

import contextlib
import json
import os
import secrets
import socket
from collections.abc import Mapping
from dataclasses import dataclass

TRACE_HEADER = "x-amzn-trace-id"
"""Name of the header that carries a trace through Kafka records and gRPC metadata; same form as X-Ray's own."""

REQUEST_ID_HEADER = "x-request-id"
"""Name of the header that carries the id of the client's request."""

DAEMON_HEADER = b'{"format":"json","version":1}\n'
"""First line of every datagram (AWS X-Ray developer guide, "Sending trace data to AWS X-Ray")."""

MAX_DATAGRAM_BYTES = 64_000
"""A segment document may have 64 KB (same page)."""


@dataclass(frozen=True, kw_only=True)
class Trace:
    """Where in which trace one is: the root, the segment above, and whether X-Ray sampled it."""

    root: str
    parent: str | None = None
    sampled: bool = False

    def header(self) -> str:
        """Write it in the form of the `X-Amzn-Trace-Id` header."""
        parent = f";Parent={self.parent}" if self.parent else ""
        return f"Root={self.root}{parent};Sampled={int(self.sampled)}"


def parse_trace(header: str | None, *, now_ms: int) -> Trace:
    """Read an `X-Amzn-Trace-Id`; where there is none, or a broken one, begin a trace that is not sampled."""
    parts = dict(part.split("=", 1) for part in (header or "").split(";") if "=" in part)
    root = parts.get("Root", "")
    if root.startswith("1-") and len(root) == 35:
        return Trace(root=root, parent=parts.get("Parent") or None, sampled=parts.get("Sampled") == "1")
    return Trace(root=f"1-{now_ms // 1000:08x}-{secrets.token_hex(12)}")


def current_trace(environ: Mapping[str, str] = os.environ, *, now_ms: int) -> Trace:
    """Return the trace of this invocation, as Lambda tells it in `_X_AMZN_TRACE_ID`."""
    return parse_trace(environ.get("_X_AMZN_TRACE_ID"), now_ms=now_ms)


class Tracer:
    """Send segment documents to the X-Ray daemon over UDP: never waits, never fails the caller."""

    def __init__(self, service: str, environ: Mapping[str, str] = os.environ) -> None:
        self._service = service
        self._address = _daemon_address(environ.get("AWS_XRAY_DAEMON_ADDRESS", ""))

    def segment(
        self, trace: Trace, name: str, *, started_at_ms: int, ended_at_ms: int, **annotations: str | int
    ) -> Trace:
        """Record one hop of a sampled trace and return the trace as the next hop has it; unsampled costs nothing.

        `annotations` can be searched in X-Ray: ids and counts, never content.
        """
        if not trace.sampled:
            return trace
        segment_id = secrets.token_hex(8)
        document = {
            "name": f"gochat-{name}",
            "id": segment_id,
            "trace_id": trace.root,
            "start_time": started_at_ms / 1000,
            "end_time": ended_at_ms / 1000,
            "annotations": {"service": self._service, **annotations},
        }
        if trace.parent:
            document["parent_id"] = trace.parent
        self._send(document)
        return Trace(root=trace.root, parent=segment_id, sampled=True)

    def _send(self, document: Mapping[str, object]) -> None:
        if self._address is None:
            return
        datagram = DAEMON_HEADER + json.dumps(document, separators=(",", ":")).encode()
        if len(datagram) > MAX_DATAGRAM_BYTES:
            return
        # A trace that can't be written must not cost a message: the log line carries the trace id as well.
        with contextlib.suppress(OSError), socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as one_shot:
            one_shot.setblocking(False)
            one_shot.sendto(datagram, self._address)


def _daemon_address(text: str) -> tuple[str, int] | None:
    """Read `AWS_XRAY_DAEMON_ADDRESS`, which is `host:port` or `tcp:host:port udp:host:port`."""
    for part in text.split():
        host, _, port = part.removeprefix("udp:").rpartition(":")
        if port.isdigit() and not part.startswith("tcp:"):
            return host, int(port)
    return None
