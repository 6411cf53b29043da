"""Presence: what `presence.subscribe` may ask, what subscribers are told, and to which connections it goes."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Annotated

import msgspec

from gochat_contracts.downstream import Notice, OpenConnection, plan_downstream
from gochat_contracts.records import MESSAGE_LIFETIME_MS, DownstreamRecord
from gochat_core.bodies import read_body
from gochat_core.clock import rfc3339
from gochat_core.errors import FieldFault, InvalidRequest, UserNotFound
from gochat_core.ids import parse_user_id
from gochat_core.types import CellId, ConnectionId, UserId

PRESENCE = "presence"

MAX_ASKED = 200
"""Users that one `presence.subscribe` may name (protocol, "Client frames")."""

MAX_WATCHED = 1_000
"""Users that one connection may have subscribed to in all."""

Watchers = Mapping[UserId, frozenset[ConnectionId]]
"""Who has subscribed to somebody: the subscribers, each with the connections that did."""

_encode = msgspec.json.Encoder().encode


class UserPresence(msgspec.Struct, frozen=True, kw_only=True):
    """Whether a user has a connection, and when it was last seen; whoever is online is seen now. None: never seen."""

    user_id: UserId
    online: bool
    last_seen_ms: int | None


class PresenceView(msgspec.Struct, frozen=True, kw_only=True):
    """A presence as clients see it, in the event and in the answer alike."""

    user_id: str
    online: bool
    last_seen: str | None


class _Asked(msgspec.Struct):
    user_ids: Annotated[list[str], msgspec.Meta(max_length=MAX_ASKED)]


def parse_subscription(data: msgspec.Raw | bytes) -> list[UserId]:
    """Read the data of `presence.subscribe`; raises `InvalidRequest` with a fault for each malformed id."""
    asked = read_body(_Asked, bytes(data)).user_ids
    found: dict[UserId, None] = {}
    faults: list[FieldFault] = []
    for index, text in enumerate(asked):
        try:
            found[parse_user_id(text)] = None
        except UserNotFound:
            faults.append(FieldFault(field=f"user_ids.{index}", message="is no user id"))
    if faults:
        raise InvalidRequest(faults=faults)
    return list(found)


def view_presence(presence: UserPresence) -> PresenceView:
    """Write a presence as clients see it."""
    seen_ms = presence.last_seen_ms
    return PresenceView(
        user_id=str(presence.user_id),
        online=presence.online,
        last_seen=rfc3339(seen_ms) if seen_ms is not None else None,
    )


def plan_presence(
    news: Sequence[tuple[UserPresence, Watchers]],
    connections: Mapping[UserId, Sequence[OpenConnection]],
    *,
    now_ms: int,
) -> Iterator[tuple[CellId, DownstreamRecord]]:
    """Yield the records that tell the subscribed connections, and no other one of their users, what changed. Pure.

    A subscription is kept under its connection's id, so one whose connection has gone or was replaced reaches nobody.
    """
    notices: list[Notice] = []
    for presence, watchers in news:
        data = msgspec.Raw(_encode(view_presence(presence)))
        notices += [
            Notice(
                user_id=subscriber,
                event=PRESENCE,
                data=data,
                expires_at_ms=now_ms + MESSAGE_LIFETIME_MS,
                only_device=one.device_id,
            )
            for subscriber, subscribed in watchers.items()
            for one in connections.get(subscriber, ())
            if one.connection_id in subscribed
        ]
    yield from plan_downstream(notices, connections)
