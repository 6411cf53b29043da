"""Whatever the platform answers to whatever batch: nothing is lost, nothing is out of order, nobody harms another."""

import json
from collections import deque

import msgspec
from hypothesis import given
from hypothesis import strategies as st

from gateway.deliver.delivery import deliver_lanes
from gateway.deliver.lanes import plan_lanes
from gochat_aws.connections_api import Outcome
from gochat_contracts.records import ConnectionRef, DownstreamItem, DownstreamRecord, MessageRef
from gochat_core.types import ConnectionId, DeviceId, Seq, UserId
from tests.fakes.connections import InMemoryConnections
from tests.unit.gateway.batches import CHAT, NOW_MS, in_memory_api

USERS = 3
YOUNG_USER = 2
"""Whose connections have just been opened."""

DEVICES = 2


def connection_of(user: int, device: int) -> ConnectionRef:
    return ConnectionRef(
        connection_id=ConnectionId(f"u{user}d{device}="),
        device_id=DeviceId(f"d{device}"),
        connected_at_ms=NOW_MS - (3_000 if user == YOUNG_USER else 60_000),
    )


Shape = tuple[str, int, tuple[int, ...] | None]
"""Kind of an item, bytes in it, devices it is for."""

shapes = st.tuples(
    st.sampled_from(("message", "message", "message", "overdue", "typing", "stored", "ending")),
    st.sampled_from((0, 500, 20_000)),
    st.sampled_from((None, (0,), (1,), (0, 1))),
)
batches = st.lists(st.tuples(st.integers(0, USERS - 1), st.lists(shapes, min_size=1, max_size=5)), max_size=8)
answers = st.dictionaries(
    st.tuples(st.integers(0, USERS - 1), st.integers(0, DEVICES - 1)),
    st.lists(st.sampled_from([one for one in Outcome if one is not Outcome.TOO_LATE]), max_size=6),
)


def make_item(shape: Shape, seq: int) -> DownstreamItem:
    kind, size, to = shape
    is_message = kind in ("message", "overdue")
    return DownstreamItem(
        event="message.new" if is_message else kind,
        data=msgspec.Raw(msgspec.json.encode({"seq": seq, "pad": "x" * size})),
        expires_at_ms=NOW_MS + (-1 if kind == "overdue" else 1_000),
        message=MessageRef(conversation_id=CHAT, seq=Seq(seq)) if is_message else None,
        to=to,
        close=kind == "ending",
    )


def make_batch(batch: list[tuple[int, list[Shape]]]) -> list[DownstreamRecord]:
    seq = 0
    records = []
    for user, item_shapes in batch:
        items = []
        for shape in item_shapes:
            seq += 1
            items.append(make_item(shape, seq))
        held = tuple(connection_of(user, device) for device in range(DEVICES))
        records.append(DownstreamRecord(user_id=UserId(user), connections=held, items=tuple(items)))
    return records


def delivered_messages(api: InMemoryConnections, connection_id: str) -> list[int]:
    frames = [json.loads(body) for body in api.posted[connection_id]]
    return [m["seq"] for frame in frames if frame["event"] == "message.new" for m in frame["data"]["messages"]]


@given(batch=batches, answered=answers)
def test_every_message_is_delivered_reported_handed_back_or_comes_again(
    batch: list[tuple[int, list[Shape]]], answered: dict[tuple[int, int], list[Outcome]]
) -> None:
    api = in_memory_api()
    for (user, device), outcomes in answered.items():
        api.outcomes[connection_of(user, device).connection_id] = deque(outcomes)
    records = make_batch(batch)

    verdict = deliver_lanes(api, plan_lanes(list(enumerate(records)), now_ms=NOW_MS), now_ms=NOW_MS)

    missed = {(dead.missed_by.connection_id, ref.seq) for dead in verdict.dead for ref in dead.missed_by.missed}
    missed |= {
        (early.lane.connection.connection_id, placed.item.message.seq)
        for early in verdict.early
        for placed in early.items
        if placed.item.message is not None
    }
    wanted = {
        (record.connections[index].connection_id, item.message.seq)
        for place, record in enumerate(records)
        if place not in verdict.failed
        for item in record.items
        if item.message is not None
        for index in item.to or range(DEVICES)
    }
    delivered = {(connection_id, seq) for connection_id in api.posted for seq in delivered_messages(api, connection_id)}
    too_large = any(name.endswith("too_large") for name in verdict.posts)
    assert wanted <= delivered | missed or too_large, "only what exceeds the platform's 128 KiB may fall away"


@given(batch=batches, answered=answers)
def test_each_connection_gets_its_messages_in_order_and_each_once(
    batch: list[tuple[int, list[Shape]]], answered: dict[tuple[int, int], list[Outcome]]
) -> None:
    api = in_memory_api()
    for (user, device), outcomes in answered.items():
        api.outcomes[connection_of(user, device).connection_id] = deque(outcomes)

    deliver_lanes(api, plan_lanes(list(enumerate(make_batch(batch))), now_ms=NOW_MS), now_ms=NOW_MS)

    for user in range(USERS):
        for device in range(DEVICES):
            seqs = delivered_messages(api, connection_of(user, device).connection_id)
            assert seqs == sorted(set(seqs))


@given(batch=batches, answered=answers)
def test_a_connection_is_reported_only_when_it_is_gone_was_ended_or_given_up(
    batch: list[tuple[int, list[Shape]]], answered: dict[tuple[int, int], list[Outcome]]
) -> None:
    api = in_memory_api()
    answered = {who: [one for one in outcomes if one is not Outcome.GONE] for who, outcomes in answered.items()}
    for (user, device), outcomes in answered.items():
        api.outcomes[connection_of(user, device).connection_id] = deque(outcomes)
    lasting = [(user, [s for s in item_shapes if s[0] not in ("overdue", "ending")]) for user, item_shapes in batch]
    records = make_batch(lasting)

    verdict = deliver_lanes(api, plan_lanes(list(enumerate(records)), now_ms=NOW_MS), now_ms=NOW_MS)

    assert verdict.dead == []
    assert api.deleted == []
