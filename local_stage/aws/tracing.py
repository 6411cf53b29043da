"""Be X-Ray for the functions: collect segment documents over UDP and give them back as traces."""

from __future__ import annotations

import json
import secrets
import socket
import threading
import time
from collections import OrderedDict
from dataclasses import dataclass
from typing import Any

# A trace belongs to a test or to the minute a developer looks at; the oldest go first.
MOST_TRACES = 5_000
_DATAGRAM_BYTES = 65_536


@dataclass(frozen=True, kw_only=True)
class FunctionTrace:
    """The part of a trace that one invocation is: its header for the function, and what its segment needs."""

    header: str
    trace_id: str
    segment_id: str
    parent_id: str | None
    sampled: bool
    started: float


class TraceStore:
    """The X-Ray daemon and the X-Ray service in one; safe for threads."""

    def __init__(self) -> None:
        """Listen on a free UDP port of the loopback interface."""
        self._socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self._socket.bind(("127.0.0.1", 0))
        self._lock = threading.Lock()
        self._traces: OrderedDict[str, dict[str, dict[str, Any]]] = OrderedDict()
        threading.Thread(target=self._listen, name="xray-daemon", daemon=True).start()

    @property
    def daemon_address(self) -> str:
        """The value of AWS_XRAY_DAEMON_ADDRESS."""
        host, port = self._socket.getsockname()
        return f"{host}:{port}"

    def begin(self, config: dict[str, Any], inbound_header: str | None = None) -> FunctionTrace:
        """Continue the caller's trace or start one, sampled when the function's tracing is active.

        Source: X-Ray, "Tracing header"; Lambda, `_X_AMZN_TRACE_ID`.
        """
        fields = parse_header(inbound_header or "")
        active = (config.get("TracingConfig") or {}).get("Mode") == "Active"
        trace_id = fields.get("Root") or f"1-{int(time.time()):08x}-{secrets.token_hex(12)}"
        sampled = fields["Sampled"] == "1" if fields.get("Sampled") in ("0", "1") else active
        segment_id = secrets.token_hex(8)
        return FunctionTrace(
            header=f"Root={trace_id};Parent={segment_id};Sampled={int(sampled)}",
            trace_id=trace_id,
            segment_id=segment_id,
            parent_id=fields.get("Parent"),
            sampled=sampled,
            started=time.time(),
        )

    def end(self, trace: FunctionTrace, config: dict[str, Any], request_id: str, *, failed: bool) -> None:
        """Keep the function's own segment, under which the function's subsegments hang."""
        if not trace.sampled:
            return
        segment: dict[str, Any] = {
            "id": trace.segment_id,
            "trace_id": trace.trace_id,
            "name": config["FunctionName"],
            "origin": "AWS::Lambda::Function",
            "start_time": trace.started,
            "end_time": time.time(),
            "aws": {"function_arn": config.get("FunctionArn", ""), "request_id": request_id},
        }
        if trace.parent_id:
            segment["parent_id"] = trace.parent_id
        if failed:
            segment["fault"] = True
        self.add(segment)

    def add(self, segment: dict[str, Any]) -> None:
        """Keep one segment document; a later one with the same id completes an earlier one."""
        with self._lock:
            segments = self._traces.setdefault(segment["trace_id"], {})
            segments[segment["id"]] = segment
            self._traces.move_to_end(segment["trace_id"])
            while len(self._traces) > MOST_TRACES:
                self._traces.popitem(last=False)

    def batch_get(self, trace_ids: list[str]) -> dict[str, Any]:
        """Answer BatchGetTraces."""
        with self._lock:
            found = {
                trace_id: list(self._traces[trace_id].values()) for trace_id in trace_ids if trace_id in self._traces
            }
        traces = [
            {
                "Id": trace_id,
                "Duration": _duration(segments),
                "LimitExceeded": False,
                "Segments": [{"Id": segment["id"], "Document": json.dumps(segment)} for segment in segments],
            }
            for trace_id, segments in found.items()
        ]
        return {"Traces": traces, "UnprocessedTraceIds": [each for each in trace_ids if each not in found]}

    def summaries(self, start: float, end: float) -> dict[str, Any]:
        """Answer GetTraceSummaries for traces that began between two times (seconds since the epoch)."""
        with self._lock:
            everything = {trace_id: list(segments.values()) for trace_id, segments in self._traces.items()}
        chosen = [
            {
                "Id": trace_id,
                "Duration": _duration(segments),
                "HasFault": any(segment.get("fault") for segment in segments),
                "HasError": any(segment.get("error") for segment in segments),
                "HasThrottle": any(segment.get("throttle") for segment in segments),
                "Annotations": _annotations(segments),
                "IsPartial": any(segment.get("in_progress") for segment in segments),
            }
            for trace_id, segments in everything.items()
            if start <= min(segment.get("start_time", 0.0) for segment in segments) <= end
        ]
        return {"TraceSummaries": chosen, "TracesProcessedCount": len(everything), "ApproximateTime": time.time()}

    def _listen(self) -> None:
        while True:
            datagram = self._socket.recv(_DATAGRAM_BYTES)
            header, _, document = datagram.partition(b"\n")
            try:
                segment = json.loads(document or header)
                if segment.get("trace_id") and segment.get("id"):
                    self.add(segment)
            except (ValueError, AttributeError):
                # As the daemon does: a document it cannot read is dropped, the next one is read.
                continue


def parse_header(header: str) -> dict[str, str]:
    """Split `Root=…;Parent=…;Sampled=1`."""
    pairs = (part.partition("=") for part in header.split(";"))
    return {name.strip(): value.strip() for name, _, value in pairs if value}


def _duration(segments: list[dict[str, Any]]) -> float:
    started = min((segment.get("start_time", 0.0) for segment in segments), default=0.0)
    ended = max((segment.get("end_time", 0.0) for segment in segments), default=0.0)
    return max(0.0, ended - started)


def _annotations(segments: list[dict[str, Any]]) -> dict[str, list[dict[str, Any]]]:
    found: dict[str, list[dict[str, Any]]] = {}
    for segment in segments:
        for name, value in (segment.get("annotations") or {}).items():
            kind = (
                "BooleanValue"
                if isinstance(value, bool)
                else "NumberValue"
                if isinstance(value, int | float)
                else "StringValue"
            )
            found.setdefault(name, []).append({"AnnotationValue": {kind: value}})
    return found
