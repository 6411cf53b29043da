"""Answers frames of a one-way route by `deliver`: what this function returns for them reaches nobody."""

import msgspec

from gateway.websocket.caller import Caller
from gochat_aws.kafka_producer import OutgoingRecord
from gochat_contracts.records import (
    MESSAGE_LIFETIME_MS,
    ConnectionRef,
    DownstreamItem,
    DownstreamRecord,
    downstream_topic,
    encode,
)

ONE_WAY_ROUTES = frozenset({"typing"})
"""Routes without a route response: API Gateway sends what a route with one answers even if that is empty, and `typing`,
when accepted, has no reply (developer guide, "Set up WebSocket API integration responses": one-way communication)."""


def plan_reply(text: str, caller: Caller, *, now_ms: int) -> OutgoingRecord:
    """Return the record that tells a connection this frame."""
    connection = ConnectionRef(
        connection_id=caller.connection_id, device_id=caller.device_id, connected_at_ms=caller.connected_at_ms
    )
    item = DownstreamItem(
        event="reply",
        data=msgspec.Raw(text.encode()),
        expires_at_ms=now_ms + MESSAGE_LIFETIME_MS,
        is_frame=True,
    )
    record = DownstreamRecord(user_id=caller.user_id, connections=(connection,), items=(item,))
    return OutgoingRecord(
        topic=downstream_topic(caller.cell_id), key=str(caller.user_id).encode(), value=encode(record)
    )
