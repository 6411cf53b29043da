"""Answers the events of a cell's WebSocket API, and what `deliver` reports; branches on the event's type."""

import time
from collections.abc import Mapping
from typing import Any

import msgspec

from gateway.authorize.credentials import SUBPROTOCOL, offered_subprotocols
from gateway.websocket.caller import Caller, read_caller
from gateway.websocket.connect import open_connection
from gateway.websocket.dead_connections import dead_letter_record, remove_dead_connections
from gateway.websocket.frames import write_error
from gateway.websocket.handed_back import send_again
from gateway.websocket.message import OTHER_ACTION, Answer, answer_frame
from gateway.websocket.presence import announce_online
from gateway.websocket.reply import ONE_WAY_ROUTES, plan_reply
from gateway.websocket.wiring import Wiring, wiring
from gochat_aws.failed_invocations import is_failed_invocation, read_failed_invocations
from gochat_contracts.deliver_reports import DeadLetters, DeliverReport, HandedBack
from gochat_contracts.records import DownstreamRecord, decode
from gochat_core.errors import GochatError, InternalError, Unavailable
from gochat_core.tracing import Trace, current_trace

Response = dict[str, Any]

_OK: Response = {"statusCode": 200}


def handle(event: Mapping[str, Any], context: object) -> Response:  # noqa: ARG001  # Lambda's signature
    """Answer one event.

    It is told apart by `eventType`, never by `routeKey`, which for a message is whatever route the client's `action`
    selected and tells only where the answer goes. An event of ours raises when it failed, so that Lambda repeats it;
    what fails for longer comes again out of a queue.
    """
    parts = wiring()
    if event.get("gochat") == "health":
        # The registry's prober asks; what builds without a fault can answer, and no store is touched.
        return _OK
    if "gochat" in event:
        return _deliver_report(parts, event)
    if is_failed_invocation(event):
        for report in read_failed_invocations(event):
            _deliver_report(parts, report)
        return _OK
    request = event["requestContext"]
    if "authorizer" not in request:
        # Only a connection whose handshake was refused has no owner; the platform may tell of its end all the same.
        return _OK
    caller = read_caller(request, parts.cell_id)
    match request["eventType"]:
        case "CONNECT":
            return _connect(parts, caller, event)
        case "DISCONNECT":
            return _disconnect(parts, caller, request)
        case _:
            return _message(parts, caller, event)


def _connect(parts: Wiring, caller: Caller, event: Mapping[str, Any]) -> Response:
    extra = {"request_id": event["requestContext"]["requestId"], **_who(caller)}
    try:
        open_connection(parts, caller)
    except GochatError as error:
        # The client sees this status as the handshake's.
        parts.logger.info("connection refused", extra={**extra, "code": error.code})
        parts.metrics.emit({"ConnectionsRefused": ("Count", 1)}, code=error.code)
        return {"statusCode": error.status}
    announce_online(parts, caller)
    parts.logger.info("connected", extra=extra)
    parts.metrics.emit({"ConnectionsOpened": ("Count", 1)})
    if SUBPROTOCOL in offered_subprotocols(event):
        # Browsers drop a connection whose server chose none of the subprotocols that they offered.
        return {**_OK, "headers": {"Sec-WebSocket-Protocol": SUBPROTOCOL}}
    return _OK


def _disconnect(parts: Wiring, caller: Caller, request: Mapping[str, Any]) -> Response:
    extra = {"request_id": request["requestId"], "status": request.get("disconnectStatusCode"), **_who(caller)}
    try:
        removed = parts.connections.remove(caller.user_id, caller.device_id, caller.connection_id)
    except Unavailable as error:
        # Nobody repeats a $disconnect. The row stays until a post to the connection answers 410.
        parts.logger.warning("disconnected, still registered", extra={**extra, "cause": repr(error.__cause__)})
        return _OK
    parts.logger.info("disconnected", extra={**extra, "was_registered": removed})
    parts.metrics.emit({"ConnectionsClosed": ("Count", 1)})
    return _OK


def _message(parts: Wiring, caller: Caller, event: Mapping[str, Any]) -> Response:
    request_id = event["requestContext"]["requestId"]
    began_s = time.perf_counter()
    # The message's trace is this invocation's, whose segment Lambda writes itself.
    trace = current_trace(now_ms=parts.clock.now_ms())
    try:
        answer = answer_frame(parts, caller, event.get("body") or "", request_id=request_id, trace=trace)
    except Exception:
        # The boundary of a frame: whatever goes wrong with one must not close the connection.
        parts.logger.exception("frame failed", extra={"request_id": request_id, **_who(caller)})
        error = InternalError()
        answer = Answer(text=write_error(None, error), action=OTHER_ACTION, frame_id=None, code=error.code)
    took_ms = (time.perf_counter() - began_s) * 1000
    _tell(parts, caller, answer, request_id=request_id, trace=trace, took_ms=took_ms)
    if event["requestContext"]["routeKey"] in ONE_WAY_ROUTES:
        _reply(parts, caller, answer)
        return _OK
    return {**_OK, "body": answer.text}


def _reply(parts: Wiring, caller: Caller, answer: Answer) -> None:
    """Have `deliver` tell what the frame's own route can't; best effort, as nothing was done for such a frame."""
    if not answer.text:
        return
    try:
        parts.producer.produce([plan_reply(answer.text, caller, now_ms=parts.clock.now_ms())])
    except Unavailable:
        parts.logger.warning("reply not sent", extra={"code": answer.code, **_who(caller)})


def _tell(parts: Wiring, caller: Caller, answer: Answer, *, request_id: str, trace: Trace, took_ms: float) -> None:
    parts.logger.info(
        "frame",
        extra={
            "action": answer.action,
            "frame_id": answer.frame_id,
            "code": answer.code,
            "request_id": request_id,
            "trace": trace.root,
            "took_ms": round(took_ms, 1),
            **_who(caller),
        },
    )
    if answer.code is None:
        parts.metrics.emit(
            {
                "Accepted": ("Count", 1),
                "Produced": ("Count", int(answer.produced)),
                "AcceptDuration": ("Milliseconds", took_ms),
            }
        )
    else:
        parts.metrics.emit({"Refused": ("Count", 1)}, code=answer.code)


def _deliver_report(parts: Wiring, event: Mapping[str, Any]) -> Response:
    report: DeliverReport = msgspec.convert(event, DeliverReport)
    if isinstance(report, DeadLetters):
        parts.producer.produce([dead_letter_record(letter) for letter in report.letters])
        parts.logger.error("unreadable records", extra={"letters": len(report.letters)})
        parts.metrics.emit({"DeadLetters": ("Count", len(report.letters))})
        return _OK
    if isinstance(report, HandedBack):
        sent = send_again(parts, [decode(DownstreamRecord, text.encode()) for text in report.records])
        parts.logger.info("handed back", extra={"records": len(report.records), "sent_again": sent})
        parts.metrics.emit({"HandedBack": ("Count", len(report.records))})
        return _OK
    tasks = remove_dead_connections(parts, report.connections)
    missed = sum(len(one.missed) for one in report.connections)
    parts.logger.info(
        "dead connections", extra={"connections": len(report.connections), "missed": missed, "tasks": tasks}
    )
    parts.metrics.emit({"ConnectionsRemoved": ("Count", len(report.connections)), "Missed": ("Count", missed)})
    return _OK


def _who(caller: Caller) -> dict[str, str]:
    return {"user_id": str(caller.user_id), "connection_id": caller.connection_id}
