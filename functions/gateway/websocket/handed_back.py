"""Sends once more what `deliver` handed back, as long as its connection may still come."""

from collections.abc import Sequence

from msgspec.structs import replace

from gateway.websocket.dead_connections import plan_offline_tasks, task_record
from gateway.websocket.wiring import Wiring
from gochat_aws.kafka_producer import OutgoingRecord
from gochat_contracts.deliver_reports import MissedBy
from gochat_contracts.records import DownstreamRecord, downstream_topic, encode
from gochat_core.errors import Unavailable
from gochat_core.types import UserId
from gochat_repo.connections import Connection


def send_again(parts: Wiring, records: Sequence[DownstreamRecord]) -> int:
    """Send records for one connection each to `deliver` again; return how many. Safe to repeat; raises Unavailable.

    A connection that is registered no more will not come: what it missed takes the offline path, unless its user has
    another one, whose client catches up. Endings are sent again all the same, since whatever is to be ended is
    registered no more.
    """
    try:
        connected = parts.connections.list_by_users({one.user_id for one in records})
        again = [kept for one in records if (kept := _keep(one, connected)) is not None]
        missed = [_missed(one) for one in records if one.user_id not in connected]
    except Unavailable:
        # Lambda would repeat this in a minute; `deliver` hands it back sooner, or finds that the connection is dead.
        again, missed = list(records), []
    topic, now_ms = downstream_topic(parts.cell_id), parts.clock.now_ms()
    records_again = [OutgoingRecord(topic=topic, key=str(one.user_id).encode(), value=encode(one)) for one in again]
    tasks = [task_record(task, now_ms=now_ms) for task in plan_offline_tasks(missed)]
    parts.producer.produce([*records_again, *tasks])
    return len(again)


def _keep(record: DownstreamRecord, connected: dict[UserId, tuple[Connection, ...]]) -> DownstreamRecord | None:
    """Return what of a record is still to be sent."""
    (target,) = record.connections
    if any(one.connection_id == target.connection_id for one in connected.get(record.user_id, ())):
        return record
    endings = tuple(item for item in record.items if item.close)
    return replace(record, items=endings) if endings else None


def _missed(record: DownstreamRecord) -> MissedBy:
    (target,) = record.connections
    return MissedBy(
        user_id=record.user_id,
        device_id=target.device_id,
        connection_id=target.connection_id,
        missed=tuple(item.message for item in record.items if item.message is not None),
    )
