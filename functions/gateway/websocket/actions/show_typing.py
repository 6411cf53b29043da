"""Action `typing`: tells the others that the user is writing."""

import msgspec

from gateway.websocket.actions.action import Plan
from gateway.websocket.caller import Caller
from gateway.websocket.limits import Limits
from gochat_contracts.message_actions import parse_typing


def plan_typing(data: msgspec.Raw, caller: Caller, *, limits: Limits, now_ms: int) -> Plan:  # noqa: ARG001
    """Check the conversation's id; an accepted one has no reply."""
    return Plan(command=parse_typing(data), ack=None)
