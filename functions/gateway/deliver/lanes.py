"""Plans a batch: what goes to each connection, in order, in as few frames as the platform's billing unit allows."""

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

import msgspec

from gateway.deliver.superseded import find_superseded
from gochat_contracts.records import ConnectionRef, DownstreamItem, DownstreamRecord, MessageRef
from gochat_core.types import UserId

COALESCED_BYTES = 32 * 1024
"""API Gateway bills each 32 KB of a message as one (API Gateway pricing, "WebSocket APIs")."""

MESSAGE_NEW = "message.new"
TYPING = "typing"

_MESSAGES_HEAD = b'{"event":"message.new","data":{"messages":['
_MESSAGES_TAIL = b"]}}"
_encode = msgspec.json.Encoder().encode


@dataclass(frozen=True, kw_only=True, slots=True)
class Placed:
    """An item together with the place in the batch of the record that brought it."""

    record: int
    item: DownstreamItem


@dataclass(frozen=True, kw_only=True, slots=True)
class Frame:
    """One post: its bytes, and the items in it."""

    body: bytes
    items: tuple[Placed, ...]

    def worthless_after_s(self) -> float:
        """Return when it need not be posted any more (seconds since 1970); never, but for what is of the moment."""
        (placed, *more) = self.items
        return math.inf if more or not _is_of_the_moment(placed.item) else placed.item.expires_at_ms / 1000


@dataclass(kw_only=True, slots=True)
class Lane:
    """All that a batch has for one connection.

    `overdue` is what should have been told by now; `ending` closes the connection after everything else. What came
    `behind` it is not posted: the client is being told to go.
    """

    user_id: UserId
    connection: ConnectionRef
    items: list[Placed] = field(default_factory=list)
    overdue: list[Placed] = field(default_factory=list)
    ending: Placed | None = None
    behind: list[Placed] = field(default_factory=list)

    def frames(self) -> list[Frame]:
        """Return the items as frames, in order; consecutive messages share one, up to 32 KiB.

        What a later item tells all of is left out.
        """
        superseded = find_superseded([placed.item for placed in self.items])
        frames: list[Frame] = []
        run: list[Placed] = []
        run_bytes = 0
        for index, placed in enumerate(self.items):
            if index in superseded:
                continue
            if placed.item.event != MESSAGE_NEW:
                frames += _messages_frame(run)
                run = []
                frames.append(Frame(body=event_body(placed.item), items=(placed,)))
                continue
            item_bytes = len(bytes(placed.item.data)) + 1
            if run and run_bytes + item_bytes > COALESCED_BYTES:
                frames += _messages_frame(run)
                run = []
            if not run:
                run_bytes = len(_MESSAGES_HEAD) + len(_MESSAGES_TAIL)
            run.append(placed)
            run_bytes += item_bytes
        return frames + _messages_frame(run)


def plan_lanes(records: Sequence[tuple[int, DownstreamRecord]], *, now_ms: int) -> list[Lane]:
    """Return the lanes of a batch, in the order of first mention; each record comes with its place in the batch.

    What is of the moment (typing) is dropped once its time is over. An ending is never late.
    """
    lanes: dict[str, Lane] = {}
    for index, record in records:
        for item in record.items:
            is_overdue = now_ms >= item.expires_at_ms and not item.close
            if is_overdue and _is_of_the_moment(item):
                continue
            placed = Placed(record=index, item=item)
            for user_id, connection in _targets(record, item):
                lane = lanes.get(connection.connection_id)
                if lane is None:
                    lane = lanes[connection.connection_id] = Lane(user_id=user_id, connection=connection)
                if lane.ending is not None:
                    if not item.close:
                        lane.behind.append(placed)
                elif item.close:
                    lane.ending = placed
                elif is_overdue:
                    lane.overdue.append(placed)
                else:
                    lane.items.append(placed)
    return list(lanes.values())


def event_body(item: DownstreamItem) -> bytes:
    """Return the frame of a single event."""
    if item.is_frame:
        return bytes(item.data)
    return b'{"event":%s,"data":%s}' % (_encode(item.event), bytes(item.data))


def missed_messages(items: Sequence[Placed]) -> tuple[MessageRef, ...]:
    """Return the stored messages among these items."""
    return tuple(placed.item.message for placed in items if placed.item.message is not None)


def _is_of_the_moment(item: DownstreamItem) -> bool:
    """Tell whether nothing is missed by who is not told in time; anything else is to be caught up with."""
    return item.event == TYPING or item.is_frame


def _messages_frame(run: Sequence[Placed]) -> list[Frame]:
    if not run:
        return []
    body = _MESSAGES_HEAD + b",".join(bytes(placed.item.data) for placed in run) + _MESSAGES_TAIL
    return [Frame(body=body, items=tuple(run))]


def _targets(record: DownstreamRecord, item: DownstreamItem) -> Iterator[tuple[UserId, ConnectionRef]]:
    if item.to is not None:
        for index in item.to:
            if 0 <= index < len(record.connections):
                yield record.user_id, record.connections[index]
        return
    for connection in record.connections:
        yield record.user_id, connection
    for recipient in record.also:
        for connection in recipient.connections:
            yield recipient.user_id, connection
