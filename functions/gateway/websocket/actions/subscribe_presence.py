"""Action `presence.subscribe`: names the users whose coming and going a connection wants to hear of."""

import msgspec

from gateway.websocket.actions.action import Plan
from gateway.websocket.caller import Caller
from gateway.websocket.limits import Limits
from gochat_contracts.presence import parse_subscription


def plan_subscribe_presence(data: msgspec.Raw, caller: Caller, *, limits: Limits, now_ms: int) -> Plan:  # noqa: ARG001
    """Check the ids; the answer is known only once the stores were asked, so it is not in the plan."""
    return Plan(watch=tuple(parse_subscription(data)))
