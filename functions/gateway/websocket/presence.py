"""Presence at the connections: answers who subscribes, and tells subscribers that somebody came online."""

from collections.abc import Sequence

import msgspec

from gateway.websocket.caller import Caller
from gateway.websocket.wiring import Wiring
from gochat_aws.kafka_producer import OutgoingRecord
from gochat_contracts.presence import MAX_WATCHED, PresenceView, UserPresence, plan_presence, view_presence
from gochat_contracts.records import downstream_topic, encode
from gochat_core.errors import FieldFault, InvalidRequest, Unavailable
from gochat_core.types import UserId


class States(msgspec.Struct, frozen=True, kw_only=True):
    """The data of the `ack` of `presence.subscribe`."""

    states: list[PresenceView]


def subscribe_presence(parts: Wiring, caller: Caller, user_ids: Sequence[UserId], *, now_ms: int) -> States:
    """Subscribe the caller's connection to those whose presence it may see, and answer how they are.

    Subscribed first and looked up then: what changes in between is told by an event. Raises InvalidRequest beyond
    MAX_WATCHED, and Unavailable while Redis is away: an answer without a subscription would be believed for hours.
    """
    visible = parts.presence.list_visible(caller.user_id, user_ids)
    if not visible:
        return States(states=[])
    if not parts.presence.subscribe(caller.user_id, caller.connection_id, visible, now_ms=now_ms):
        fault = f"would be more than {MAX_WATCHED} users that this connection has subscribed to"
        raise InvalidRequest(faults=[FieldFault(field="user_ids", message=fault)])
    found = parts.presence.tell(visible, now_ms=now_ms)
    return States(states=[view_presence(found[user]) for user in visible if user in found])


def announce_online(parts: Wiring, caller: Caller) -> None:
    """Tell whoever has subscribed that the caller is online, unless that was told already; best effort.

    For the user's first connection, once it is registered. One cache round trip, and where somebody has subscribed one
    more and one to the broker. What can't be told now is told by the next sweep.
    """
    now_ms = parts.clock.now_ms()
    try:
        watchers = parts.presence.come_online(caller.user_id, caller.connection_id, now_ms=now_ms)
        if not watchers:
            return
        now_online = UserPresence(user_id=caller.user_id, online=True, last_seen_ms=now_ms)
        try:
            connections = parts.connections.find(watchers)
            records = [
                OutgoingRecord(topic=downstream_topic(cell_id), key=str(one.user_id).encode(), value=encode(one))
                for cell_id, one in plan_presence([(now_online, watchers)], connections, now_ms=now_ms)
            ]
            parts.producer.produce(records)
        except Unavailable:
            parts.presence.put_off(caller.user_id)
            raise
    except Unavailable:
        parts.logger.warning("online not told", extra={"user_id": str(caller.user_id)})
