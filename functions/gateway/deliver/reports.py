"""Hands what `deliver` can't settle to `websocket`, which stands in the VPC and reaches stores and broker."""

from collections.abc import Iterator, Sequence
from typing import TypeVar

import msgspec

from gateway.deliver.delivery import Dead, Early
from gochat_aws.function_invoke import MAX_EVENT_BYTES, EventInvoker, EventRefusedError
from gochat_aws.kafka_event import IncomingRecord, dead_letter
from gochat_contracts.deliver_reports import DeadConnections, DeadLetters, HandedBack
from gochat_contracts.downstream import split_items
from gochat_contracts.records import DeadLetter, DownstreamRecord, decode, encode

REPORT_BYTES = 200 * 1024
"""Far below what an asynchronous invocation takes; one invocation's work stays small."""

_encode = msgspec.json.Encoder().encode

Reported = TypeVar("Reported")


def report_dead(invoker: EventInvoker, dead: Sequence[Dead]) -> set[int]:
    """Report dead connections; return the places of the records whose report was not taken."""
    failed: set[int] = set()
    for part in _split([(one, len(_encode(one.missed_by))) for one in dead]):
        report = DeadConnections(connections=tuple(one.missed_by for one in part))
        # After one refusal the rest is not tried: each may take seconds, and this function has few left.
        if failed or not _hand_over(invoker, _encode(report)):
            failed.update(place for one in part for place in one.records)
    return failed


def hand_back(invoker: EventInvoker, early: Sequence[Early]) -> set[int]:
    """Hand back what came too early; return the places of the records whose items were not taken."""
    failed: set[int] = set()
    written = [(text, one.records) for one in early for text in _write(one)]
    for part in _split([(one, len(one[0])) for one in written]):
        report = HandedBack(records=tuple(text.decode() for text, _ in part))
        if failed or not _hand_over(invoker, _encode(report)):
            failed.update(place for _, places in part for place in places)
    return failed


def report_unreadable(
    invoker: EventInvoker, unreadable: Sequence[tuple[int, IncomingRecord, str]], *, now_ms: int
) -> set[int]:
    """Report records that can never be read; return the places of those whose report was not taken."""
    failed: set[int] = set()
    for place, record, detail in unreadable:
        written = dead_letter(record, reason="unreadable", detail=detail, now_ms=now_ms)
        letter = decode(DeadLetter, written.value)
        payload = _encode(DeadLetters(letters=(letter,)))
        if len(payload) > MAX_EVENT_BYTES:
            letter = msgspec.structs.replace(letter, value=None, detail=f"{detail}; too large to keep")
            payload = _encode(DeadLetters(letters=(letter,)))
        if failed or not _hand_over(invoker, payload):
            failed.add(place)
    return failed


def _hand_over(invoker: EventInvoker, payload: bytes) -> bool:
    try:
        invoker.invoke_event(payload)
    except EventRefusedError:
        return False
    return True


def _write(early: Early) -> Iterator[bytes]:
    lane = early.lane
    items = [msgspec.structs.replace(placed.item, to=None) for placed in early.items]
    for part in split_items(items, max_bytes=REPORT_BYTES):
        yield encode(DownstreamRecord(user_id=lane.user_id, connections=(lane.connection,), items=part))


def _split(sized: Sequence[tuple[Reported, int]]) -> Iterator[list[Reported]]:
    part: list[Reported] = []
    size = 0
    for one, own in sized:
        if part and size + own > REPORT_BYTES:
            yield part
            part, size = [], 0
        part.append(one)
        size += own
    if part:
        yield part
