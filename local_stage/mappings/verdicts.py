"""Decides what happens to a batch after an attempt: what is done, what comes again and how, what is given up."""

from collections.abc import Mapping
from dataclasses import dataclass, replace

from local_stage.mappings.config import INFINITE, RetryPolicy
from local_stage.mappings.records import Record

RETRIES_EXHAUSTED = "RetryAttemptsExhausted"
PAYLOAD_TOO_LARGE = "MaximumPayloadSizeExceeded"
TOO_OLD = "RecordAgeExceeded"

_FIRST_BACKOFF_S = 0.1


@dataclass(frozen=True, kw_only=True)
class Succeeded:
    """The function returned, and everything in the chunk is done."""


@dataclass(frozen=True, kw_only=True)
class FunctionFailed:
    """The function raised, timed out or answered nonsense. `may_split` is false for an answer that names no record."""

    error: str
    may_split: bool = True


@dataclass(frozen=True, kw_only=True)
class ItemsFailed:
    """The function named the items that failed: `topic-partition` -> offsets."""

    offsets: Mapping[str, frozenset[int]]


@dataclass(frozen=True, kw_only=True)
class NotInvoked:
    """The function never saw the chunk: throttled, unreachable, not there. Such an attempt does not count."""

    reason: str


@dataclass(frozen=True, kw_only=True)
class PayloadTooLarge:
    """Lambda refused the payload for its size."""


Outcome = Succeeded | FunctionFailed | ItemsFailed | NotInvoked | PayloadTooLarge


@dataclass(frozen=True, kw_only=True)
class Chunk:
    """Hold records that travel in one invocation.

    `failures` counts towards the retries, `invocations` are all that the function saw, `unreached` counts attempts in
    a row that it did not see.
    """

    records: tuple[Record, ...]
    failures: int = 0
    invocations: int = 0
    unreached: int = 0


@dataclass(frozen=True, kw_only=True)
class Verdict:
    """Say what follows an attempt. `again` are chunks in the order in which they must go; `wait_s` comes before them.

    `given_up` go to the on-failure destination with `condition`, after `invocations` that the function saw.
    """

    done: tuple[Record, ...] = ()
    given_up: tuple[Record, ...] = ()
    condition: str = RETRIES_EXHAUSTED
    invocations: int = 0
    again: tuple[Chunk, ...] = ()
    wait_s: float = 0.0


def drop_expired(chunk: Chunk, policy: RetryPolicy, *, now_ms: int) -> Verdict:
    """Part the records older than the policy's age, which are given up, from those that may (still) be sent."""
    if policy.max_age_s == INFINITE:
        return Verdict(again=(chunk,))
    oldest_ms = now_ms - policy.max_age_s * 1000
    fresh = tuple(record for record in chunk.records if record.timestamp_ms >= oldest_ms)
    expired = tuple(record for record in chunk.records if record.timestamp_ms < oldest_ms)
    return Verdict(
        given_up=expired,
        condition=TOO_OLD,
        invocations=chunk.invocations,
        again=(replace(chunk, records=fresh),) if fresh else (),
    )


def judge(chunk: Chunk, outcome: Outcome, policy: RetryPolicy, *, max_wait_s: float) -> Verdict:
    """Decide what follows this attempt to deliver the chunk."""
    if isinstance(outcome, NotInvoked):
        later = replace(chunk, unreached=chunk.unreached + 1)
        return Verdict(again=(later,), wait_s=backoff_s(later.unreached, max_wait_s))
    seen = replace(chunk, invocations=chunk.invocations + 1, unreached=0)
    if isinstance(outcome, Succeeded):
        return Verdict(done=seen.records)
    if isinstance(outcome, PayloadTooLarge):
        return _judge_too_large(chunk)
    if isinstance(outcome, ItemsFailed):
        return _judge_items(seen, outcome, policy, max_wait_s)
    if policy.bisect and outcome.may_split and len(seen.records) > 1:
        # "Splitting batches doesn't consume the retry quota."
        return Verdict(again=_halves(seen), wait_s=backoff_s(1, max_wait_s))
    return _retry(seen, seen.records, (), policy, max_wait_s)


def backoff_s(failures: int, max_wait_s: float) -> float:
    """Return the wait before the next attempt: 0.1 s, doubled with each failure, at most `max_wait_s`."""
    return float(min(_FIRST_BACKOFF_S * 2 ** min(failures - 1, 30), max_wait_s))


def _judge_items(chunk: Chunk, outcome: ItemsFailed, policy: RetryPolicy, max_wait_s: float) -> Verdict:
    known = {(record.place, record.offset) for record in chunk.records}
    named = {(place, offset) for place, offsets in outcome.offsets.items() for offset in offsets}
    if not named:
        return Verdict(done=chunk.records)
    if not named <= known:
        # An identifier that is not of this batch: Lambda treats the answer as a failure of all of it.
        return _retry(chunk, chunk.records, (), policy, max_wait_s)
    lowest = {place: min(offsets) for place, offsets in outcome.offsets.items() if offsets}

    def comes_again(record: Record) -> bool:
        if policy.from_lowest:
            return record.place in lowest and record.offset >= lowest[record.place]
        return (record.place, record.offset) in named

    failed = tuple(record for record in chunk.records if comes_again(record))
    done = tuple(record for record in chunk.records if not comes_again(record))
    return _retry(chunk, failed, done, policy, max_wait_s)


def _retry(
    chunk: Chunk, failed: tuple[Record, ...], done: tuple[Record, ...], policy: RetryPolicy, max_wait_s: float
) -> Verdict:
    failures = chunk.failures + 1
    if policy.max_retries != INFINITE and failures > policy.max_retries:
        return Verdict(done=done, given_up=failed, invocations=chunk.invocations)
    again = replace(chunk, records=failed, failures=failures)
    return Verdict(done=done, again=(again,), wait_s=backoff_s(failures, max_wait_s))


def _judge_too_large(chunk: Chunk) -> Verdict:
    if len(chunk.records) > 1:
        return Verdict(again=_halves(chunk))
    return Verdict(given_up=chunk.records, condition=PAYLOAD_TOO_LARGE, invocations=chunk.invocations)


def _halves(chunk: Chunk) -> tuple[Chunk, Chunk]:
    middle = (len(chunk.records) + 1) // 2
    return replace(chunk, records=chunk.records[:middle]), replace(chunk, records=chunk.records[middle:])
