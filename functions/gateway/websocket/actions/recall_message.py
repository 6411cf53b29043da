"""Action `message.recall`: takes a message back."""

import msgspec

from gateway.websocket.actions.action import Plan
from gateway.websocket.caller import Caller
from gateway.websocket.limits import Limits
from gochat_contracts.message_actions import parse_recall_message


def plan_recall_message(data: msgspec.Raw, caller: Caller, *, limits: Limits, now_ms: int) -> Plan:  # noqa: ARG001
    """Check which message it is; whose, and how old, is for `logic` to tell."""
    return Plan(command=parse_recall_message(data))
