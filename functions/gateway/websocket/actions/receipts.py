"""Actions `message.delivered` and `message.read`: how far a device has, and its user has read, a conversation."""

import msgspec

from gateway.websocket.actions.action import Plan
from gateway.websocket.caller import Caller
from gateway.websocket.limits import Limits
from gochat_contracts.message_actions import parse_mark_delivered, parse_mark_read


def plan_mark_delivered(data: msgspec.Raw, caller: Caller, *, limits: Limits, now_ms: int) -> Plan:  # noqa: ARG001
    """Check the conversation's id and the seq; one beyond the last message counts as the last."""
    return Plan(command=parse_mark_delivered(data))


def plan_mark_read(data: msgspec.Raw, caller: Caller, *, limits: Limits, now_ms: int) -> Plan:  # noqa: ARG001
    """Check the conversation's id and the seq; one beyond the last message counts as the last."""
    return Plan(command=parse_mark_read(data))
