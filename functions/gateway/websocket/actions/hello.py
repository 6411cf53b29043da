"""Action `hello`: tells a client who it is here, until when, and how much it may send."""

import msgspec

from gateway.websocket.actions.action import Plan
from gateway.websocket.caller import Caller
from gateway.websocket.frames import MAX_FRAME_BYTES
from gateway.websocket.limits import Limits
from gochat_contracts.content_types import MAX_CUSTOM_BYTES, MAX_TEXT_BYTES, MAX_TEXT_CHARACTERS
from gochat_contracts.message_content import MAX_MENTIONS
from gochat_core.clock import rfc3339

CONNECTION_LIFETIME_MS = 2 * 60 * 60 * 1000
"""When the platform cuts (API Gateway developer guide, "Quotas for WebSocket APIs": connection duration 2 hours)."""

RECONNECT_MARGIN_MS = 5 * 60 * 1000
"""How long before the cut a client should have another connection."""


class ToldLimits(msgspec.Struct, frozen=True, kw_only=True):
    """The limits as clients see them."""

    frames_per_s: float
    frames_burst: int
    conversation_messages_per_s: float
    frame_bytes: int
    text_characters: int
    text_bytes: int
    custom_bytes: int
    mentions: int


class HelloAnswer(msgspec.Struct, frozen=True, kw_only=True):
    """The data of the `ack` of `hello`."""

    connection_id: str
    user_id: str
    device_id: str
    server_time: str
    ping_interval_s: int
    reconnect_before: str
    limits: ToldLimits


def plan_hello(data: msgspec.Raw, caller: Caller, *, limits: Limits, now_ms: int) -> Plan:  # noqa: ARG001  # needs none
    """Answer at once, whatever `data` holds."""
    return Plan(
        ack=HelloAnswer(
            connection_id=caller.connection_id,
            user_id=str(caller.user_id),
            device_id=caller.device_id,
            server_time=rfc3339(now_ms),
            ping_interval_s=limits.ping_interval_s,
            reconnect_before=rfc3339(caller.connected_at_ms + CONNECTION_LIFETIME_MS - RECONNECT_MARGIN_MS),
            limits=ToldLimits(
                frames_per_s=limits.frames_per_s,
                frames_burst=limits.frames_burst,
                conversation_messages_per_s=limits.conversation_messages_per_s,
                frame_bytes=MAX_FRAME_BYTES,
                text_characters=MAX_TEXT_CHARACTERS,
                text_bytes=MAX_TEXT_BYTES,
                custom_bytes=MAX_CUSTOM_BYTES,
                mentions=MAX_MENTIONS,
            ),
        )
    )
