"""Actions `reaction.add` and `reaction.remove`: an emoji below a message."""

import msgspec

from gateway.websocket.actions.action import Plan
from gateway.websocket.caller import Caller
from gateway.websocket.limits import Limits
from gochat_contracts.message_actions import parse_add_reaction, parse_remove_reaction


def plan_add_reaction(data: msgspec.Raw, caller: Caller, *, limits: Limits, now_ms: int) -> Plan:  # noqa: ARG001
    """Check which message it is, and that it is an emoji."""
    return Plan(command=parse_add_reaction(data))


def plan_remove_reaction(data: msgspec.Raw, caller: Caller, *, limits: Limits, now_ms: int) -> Plan:  # noqa: ARG001
    """Check which message it is, and that it is an emoji."""
    return Plan(command=parse_remove_reaction(data))
