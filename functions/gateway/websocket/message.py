"""Answers one frame: checks it, admits its sender, hands what it asks for to the broker, acknowledges."""

from dataclasses import dataclass

from gateway.websocket.actions import ACTIONS
from gateway.websocket.actions.action import Plan
from gateway.websocket.caller import Caller
from gateway.websocket.ending import SESSION_REVOKED, plan_ending
from gateway.websocket.frames import Frame, UnreadableFrameError, read_frame, write_ack, write_error
from gateway.websocket.presence import subscribe_presence
from gateway.websocket.wiring import Wiring
from gochat_aws.kafka_producer import OutgoingRecord
from gochat_contracts.commands import Command
from gochat_contracts.records import UPSTREAM_TOPIC, UpstreamRecord, encode
from gochat_core.errors import (
    FieldFault,
    GochatError,
    InvalidRequest,
    RateLimited,
    Refusal,
    Unauthenticated,
    Unavailable,
)
from gochat_core.tracing import REQUEST_ID_HEADER, TRACE_HEADER, Trace

OTHER_ACTION = "other"
"""Stands in logs for an action that does not exist: a client could write a message's text there."""


@dataclass(frozen=True, kw_only=True)
class Answer:
    """What goes back on the socket, empty for nothing, and what the log line tells of it.

    `produced`: whether it stands in the upstream topic now.
    """

    text: str
    action: str
    frame_id: str | None
    code: str | None = None
    produced: bool = False


def answer_frame(parts: Wiring, caller: Caller, given: str, *, request_id: str, trace: Trace) -> Answer:
    """Answer a frame; every refusal becomes an `error` frame, only faults of ours are raised.

    A frame that breaks the contract spends a token as any other: rubbish must not be cheaper than messages.
    """
    now_ms = parts.clock.now_ms()
    frame: Frame | None = None
    plan: Plan | None = None
    refusal: Refusal | None = None
    frame_id: str | None = None
    try:
        frame = read_frame(given)
        frame_id = frame.id
        plan = _plan(parts, caller, frame, now_ms)
    except Refusal as refused:
        refusal = refused
        if isinstance(refused, UnreadableFrameError):
            frame_id = refused.frame_id
    action = frame.action if frame is not None and frame.action in ACTIONS else OTHER_ACTION
    try:
        _admit(parts, caller, plan, now_ms)
        if refusal is not None:
            raise refusal
        assert frame is not None
        assert plan is not None
        if plan.command is not None:
            record = _upstream_record(
                caller, frame.id, plan.command, accepted_at_ms=now_ms, request_id=request_id, trace=trace
            )
            parts.producer.produce([record])
        ack = plan.ack if plan.watch is None else subscribe_presence(parts, caller, plan.watch, now_ms=now_ms)
    except GochatError as error:
        return Answer(text=write_error(frame_id, error), action=action, frame_id=frame_id, code=error.code)
    text = "" if ack is None else write_ack(frame.id, ack)
    return Answer(text=text, action=action, frame_id=frame_id, produced=plan.command is not None)


def _plan(parts: Wiring, caller: Caller, frame: Frame, now_ms: int) -> Plan:
    plan_action = ACTIONS.get(frame.action)
    if plan_action is None:
        raise InvalidRequest(faults=[FieldFault(field="action", message="is not one of this API's")])
    return plan_action(frame.data, caller, limits=parts.limits, now_ms=now_ms)


def _admit(parts: Wiring, caller: Caller, plan: Plan | None, now_ms: int) -> None:
    admission = parts.gate.admit(
        caller.user_id,
        caller.session_id,
        conversation_id=plan.conversation_id if plan is not None else None,
        now_ms=now_ms,
    )
    if not admission.is_active:
        _end_revoked(parts, caller, now_ms)
        raise Unauthenticated("This login has ended")
    if admission.wait_ms:
        raise RateLimited(retry_after_ms=admission.wait_ms)


def _end_revoked(parts: Wiring, caller: Caller, now_ms: int) -> None:
    """End a connection whose login was revoked, not found then; best effort, as the next frame tries again."""
    record = plan_ending(
        SESSION_REVOKED,
        user_id=caller.user_id,
        device_id=caller.device_id,
        cell_id=caller.cell_id,
        connection_id=caller.connection_id,
        connected_at_ms=caller.connected_at_ms,
        now_ms=now_ms,
    )
    try:
        parts.connections.remove(caller.user_id, caller.device_id, caller.connection_id)
        parts.producer.produce([record])
    except Unavailable:
        parts.logger.warning("revoked connection not ended", extra={"connection_id": caller.connection_id})


def _upstream_record(
    caller: Caller, frame_id: str, command: Command, *, accepted_at_ms: int, request_id: str, trace: Trace
) -> OutgoingRecord:
    record = UpstreamRecord(frame_id=frame_id, sender=caller.sender(), accepted_at_ms=accepted_at_ms, command=command)
    return OutgoingRecord(
        topic=UPSTREAM_TOPIC,
        key=command.conversation_id.encode(),
        value=encode(record),
        headers=((TRACE_HEADER, trace.header().encode()), (REQUEST_ID_HEADER, request_id.encode())),
    )
