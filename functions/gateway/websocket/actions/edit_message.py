"""Action `message.edit`: replaces the text of a message."""

import msgspec

from gateway.websocket.actions.action import Plan
from gateway.websocket.caller import Caller
from gateway.websocket.limits import Limits
from gochat_contracts.message_actions import parse_edit_message


def plan_edit_message(data: msgspec.Raw, caller: Caller, *, limits: Limits, now_ms: int) -> Plan:  # noqa: ARG001
    """Check which message it is and the new text; whose message is for `logic` to tell."""
    return Plan(command=parse_edit_message(data))
