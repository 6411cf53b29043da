"""Hands dead connections and unreadable records to `websocket`, which stands in the VPC and can deal with both."""

from collections.abc import Iterator, Sequence

import msgspec

from gateway.deliver.delivery import Dead
from gochat_aws.function_invoke import MAX_EVENT_BYTES, EventInvoker, EventRefusedError
from gochat_aws.kafka_event import IncomingRecord, dead_letter
from gochat_contracts.records import DeadConnections, DeadLetter, DeadLetters, decode

REPORT_BYTES = 200 * 1024
"""Far below what an asynchronous invocation takes; one invocation's work stays small."""

_encode = msgspec.json.Encoder().encode


def report_dead(invoker: EventInvoker, dead: Sequence[Dead]) -> set[int]:
    """Report dead connections; return the places of the records whose report was not taken."""
    failed: set[int] = set()
    for part in _split(dead):
        report = DeadConnections(connections=tuple(one.missed_by for one in part))
        # After one refusal the rest is not tried: each may take seconds, and this function has few left.
        if failed or not _hand_over(invoker, _encode(report)):
            failed.update(place for one in part for place in one.records)
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


def _split(dead: Sequence[Dead]) -> Iterator[list[Dead]]:
    part: list[Dead] = []
    size = 0
    for one in dead:
        own = len(_encode(one.missed_by))
        if part and size + own > REPORT_BYTES:
            yield part
            part, size = [], 0
        part.append(one)
        size += own
    if part:
        yield part
