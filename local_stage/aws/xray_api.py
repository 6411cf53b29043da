"""Answer the X-Ray API over the traces that functions sent; MiniStack has no such service."""

from __future__ import annotations

import json
from collections.abc import Awaitable, Callable
from datetime import datetime
from typing import Any

from local_stage.aws.tracing import TraceStore

Scope = dict[str, Any]
Receive = Callable[[], Awaitable[dict[str, Any]]]
Send = Callable[[dict[str, Any]], Awaitable[None]]
Application = Callable[[Scope, Receive, Send], Awaitable[None]]

_PATHS = ("/Traces", "/TraceSummaries", "/TraceSegments")


def before(application: Application, traces: TraceStore) -> Application:
    """Serve X-Ray's requests, and hand all others to the application behind."""

    async def serve(scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or scope["path"] not in _PATHS or not _signed_for_xray(scope):
            await application(scope, receive, send)
            return
        request = json.loads(await _body(receive) or b"{}")
        content = json.dumps(answer(traces, scope["path"], request)).encode()
        headers = [(b"content-type", b"application/json"), (b"content-length", str(len(content)).encode())]
        await send({"type": "http.response.start", "status": 200, "headers": headers})
        await send({"type": "http.response.body", "body": content})

    return serve


def answer(traces: TraceStore, path: str, request: dict[str, Any]) -> dict[str, Any]:
    """Answer BatchGetTraces, GetTraceSummaries (its filter expression is ignored) or PutTraceSegments."""
    if path == "/Traces":
        return traces.batch_get(request.get("TraceIds", []))
    if path == "/TraceSummaries":
        return traces.summaries(_seconds(request["StartTime"]), _seconds(request["EndTime"]))
    for document in request.get("TraceSegmentDocuments", []):
        traces.add(json.loads(document))
    return {"UnprocessedTraceSegments": []}


def _signed_for_xray(scope: Scope) -> bool:
    return any(name.lower() == b"authorization" and b"/xray/" in value for name, value in scope["headers"])


def _seconds(time: float | str) -> float:
    return float(time) if isinstance(time, int | float) else datetime.fromisoformat(time).timestamp()


async def _body(receive: Receive) -> bytes:
    parts = bytearray()
    while True:
        message = await receive()
        parts += message.get("body", b"")
        if not message.get("more_body"):
            return bytes(parts)
