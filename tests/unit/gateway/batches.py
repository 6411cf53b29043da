"""Batches for `deliver`, built in a line each, and an API that keeps what is posted."""

import json
from collections.abc import Sequence

import msgspec

from gateway.deliver.delivery import Verdict, deliver_lanes
from gateway.deliver.lanes import plan_lanes
from gochat_contracts.records import ConnectionRef, DownstreamItem, DownstreamRecord, MessageRef
from gochat_core.types import ConnectionId, ConversationId, DeviceId, Seq, UserId
from tests.fakes.connections import InMemoryConnections

NOW_MS = 1_795_413_600_000
ALICE, BOB = UserId(1), UserId(2)
CHAT = ConversationId("c" * 32)


def connection(name: str, *, age_ms: int = 60_000) -> ConnectionRef:
    return ConnectionRef(
        connection_id=ConnectionId(f"{name}="), device_id=DeviceId(name), connected_at_ms=NOW_MS - age_ms
    )


PHONE, LAPTOP, NEW_PHONE = connection("phone"), connection("laptop"), connection("new-phone")


def message(
    seq: int, *, size: int = 0, expires_in_ms: int = 60_000, to: tuple[int, ...] | None = None
) -> DownstreamItem:
    data = {"seq": seq, "content": {"text": "x" * size}}
    return DownstreamItem(
        event="message.new",
        data=msgspec.Raw(msgspec.json.encode(data)),
        expires_at_ms=NOW_MS + expires_in_ms,
        message=MessageRef(conversation_id=CHAT, seq=Seq(seq)),
        to=to,
    )


def event(name: str, *, expires_in_ms: int = 5_000, **options: object) -> DownstreamItem:
    item = DownstreamItem(event=name, data=msgspec.Raw(b"{}"), expires_at_ms=NOW_MS + expires_in_ms)
    return msgspec.structs.replace(item, **options)


def record(
    *items: DownstreamItem, user: UserId = ALICE, connections: Sequence[ConnectionRef] = (PHONE,)
) -> DownstreamRecord:
    return DownstreamRecord(user_id=user, connections=tuple(connections), items=items)


def deliver(api: InMemoryConnections, *records: DownstreamRecord) -> Verdict:
    return deliver_lanes(api, plan_lanes(list(enumerate(records)), now_ms=NOW_MS), now_ms=NOW_MS)


def in_memory_api() -> InMemoryConnections:
    api = InMemoryConnections()
    api.now_s = lambda: NOW_MS / 1000
    return api


def frames(api: InMemoryConnections, ref: ConnectionRef) -> list[tuple[str, list[int]]]:
    found = []
    for body in api.posted[ref.connection_id]:
        frame = json.loads(body)
        found.append((frame["event"], [m["seq"] for m in frame["data"].get("messages", ())]))
    return found
