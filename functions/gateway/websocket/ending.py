"""Has a connection ended by `deliver`: this function stands in the VPC, from where it can't be reached."""

import msgspec

from gochat_aws.kafka_producer import OutgoingRecord
from gochat_contracts.records import (
    MESSAGE_LIFETIME_MS,
    ConnectionRef,
    DownstreamItem,
    DownstreamRecord,
    downstream_topic,
    encode,
)
from gochat_core.types import CellId, ConnectionId, DeviceId, UserId

SESSION_REPLACED = "session.replaced"
SESSION_REVOKED = "session.revoked"

_NO_DATA = msgspec.Raw(b"{}")


def plan_ending(
    event: str,
    *,
    user_id: UserId,
    device_id: DeviceId,
    cell_id: CellId,
    connection_id: ConnectionId,
    connected_at_ms: int,
    now_ms: int,
    once_usable: ConnectionRef | None = None,
) -> OutgoingRecord:
    """Return the record that tells a connection the event and then closes it."""
    record = DownstreamRecord(
        user_id=user_id,
        connections=(ConnectionRef(connection_id=connection_id, device_id=device_id, connected_at_ms=connected_at_ms),),
        items=(
            DownstreamItem(
                event=event,
                data=_NO_DATA,
                expires_at_ms=now_ms + MESSAGE_LIFETIME_MS,
                close=True,
                once_usable=once_usable,
            ),
        ),
    )
    return OutgoingRecord(topic=downstream_topic(cell_id), key=str(user_id).encode(), value=encode(record))
