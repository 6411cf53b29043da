"""Plans downstream records: one for each user and cell, with all that a batch has for them."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Protocol

import msgspec

from gochat_contracts.records import (
    MAX_RECORD_BYTES,
    ConnectionRef,
    DownstreamItem,
    DownstreamRecord,
    MessageRef,
    Recipient,
)
from gochat_core.types import CellId, ConnectionId, DeviceId, UserId

ITEM_OVERHEAD_BYTES = 512
"""At least what an item takes beside its data: names, ids, times, a trace, the indexes of 20 devices."""

RECIPIENTS = 25
"""How many users share a record at most: when a post to one of them is put off, all of them are posted to again."""


class OpenConnection(Protocol):
    """What must be known of a connection to reach it."""

    @property
    def device_id(self) -> DeviceId: ...

    @property
    def cell_id(self) -> CellId: ...

    @property
    def connection_id(self) -> ConnectionId: ...

    @property
    def connected_at_ms(self) -> int: ...


class Notice(msgspec.Struct, frozen=True, kw_only=True):
    """One event for one user: for all devices, for `only_device`, or for all but `except_device`."""

    user_id: UserId
    event: str
    data: msgspec.Raw
    expires_at_ms: int
    only_device: DeviceId | None = None
    except_device: DeviceId | None = None
    message: MessageRef | None = None
    accepted_at_ms: int | None = None
    trace: str | None = None


def plan_downstream(
    notices: Iterable[Notice], connections: Mapping[UserId, Sequence[OpenConnection]]
) -> Iterator[tuple[CellId, DownstreamRecord]]:
    """Yield the records that carry these notices, in their order, at most MAX_RECORD_BYTES each.

    A notice for a device that has no connection is left out; so are cells where a user has none.
    """
    by_user: dict[UserId, list[Notice]] = {}
    for notice in notices:
        by_user.setdefault(notice.user_id, []).append(notice)
    for user_id, own in by_user.items():
        for cell_id, refs in _by_cell(connections.get(user_id, ())):
            items = [item for notice in own if (item := _item(notice, refs)) is not None]
            for part in split_items(items, max_bytes=MAX_RECORD_BYTES):
                yield cell_id, DownstreamRecord(user_id=user_id, connections=refs, items=part)


def plan_shared(
    items: Sequence[DownstreamItem],
    user_ids: Iterable[UserId],
    connections: Mapping[UserId, Sequence[OpenConnection]],
) -> Iterator[tuple[CellId, DownstreamRecord]]:
    """Yield the records that tell all these users the same items, on all their devices; RECIPIENTS share one."""
    cells: dict[CellId, list[Recipient]] = {}
    for user_id in user_ids:
        for cell_id, refs in _by_cell(connections.get(user_id, ())):
            cells.setdefault(cell_id, []).append(Recipient(user_id=user_id, connections=refs))
    parts = list(split_items(items, max_bytes=MAX_RECORD_BYTES)) if cells else []
    for cell_id, recipients in cells.items():
        for start in range(0, len(recipients), RECIPIENTS):
            first, *also = recipients[start : start + RECIPIENTS]
            for part in parts:
                yield (
                    cell_id,
                    DownstreamRecord(
                        user_id=first.user_id, connections=first.connections, items=part, also=tuple(also)
                    ),
                )


def _by_cell(held: Sequence[OpenConnection]) -> Iterable[tuple[CellId, tuple[ConnectionRef, ...]]]:
    cells: dict[CellId, list[ConnectionRef]] = {}
    for one in held:
        ref = ConnectionRef(
            connection_id=one.connection_id, device_id=one.device_id, connected_at_ms=one.connected_at_ms
        )
        cells.setdefault(one.cell_id, []).append(ref)
    return [(cell_id, tuple(refs)) for cell_id, refs in cells.items()]


def _item(notice: Notice, connections: tuple[ConnectionRef, ...]) -> DownstreamItem | None:
    to: tuple[int, ...] | None = None
    if notice.only_device is not None:
        to = tuple(index for index, one in enumerate(connections) if one.device_id == notice.only_device)
    elif notice.except_device is not None:
        to = tuple(index for index, one in enumerate(connections) if one.device_id != notice.except_device)
    if to == ():
        return None
    return DownstreamItem(
        event=notice.event,
        data=notice.data,
        expires_at_ms=notice.expires_at_ms,
        to=None if to is None or len(to) == len(connections) else to,
        message=notice.message,
        accepted_at_ms=notice.accepted_at_ms,
        trace=notice.trace,
    )


def split_items(items: Sequence[DownstreamItem], *, max_bytes: int) -> Iterator[tuple[DownstreamItem, ...]]:
    """Yield the items in their order, as many together as a record of `max_bytes` holds, one at least."""
    part: list[DownstreamItem] = []
    size = 0
    for item in items:
        item_bytes = len(bytes(item.data)) + ITEM_OVERHEAD_BYTES
        if part and size + item_bytes > max_bytes:
            yield tuple(part)
            part, size = [], 0
        part.append(item)
        size += item_bytes
    if part:
        yield tuple(part)
