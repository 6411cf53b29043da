import pytest

from local_stage.mappings.config import INFINITE, RetryPolicy
from local_stage.mappings.records import Record, make_record
from local_stage.mappings.verdicts import (
    PAYLOAD_TOO_LARGE,
    RETRIES_EXHAUSTED,
    TOO_OLD,
    Chunk,
    FunctionFailed,
    ItemsFailed,
    NotInvoked,
    Outcome,
    PayloadTooLarge,
    Succeeded,
    Verdict,
    backoff_s,
    drop_expired,
    judge,
)

MAX_WAIT_S = 2.0
RAISED = FunctionFailed(error="Unhandled")


def record(offset: int, *, partition: int = 0, timestamp_ms: int = 0) -> Record:
    return make_record(
        topic="t",
        partition=partition,
        offset=offset,
        timestamp_ms=timestamp_ms,
        timestamp_type="CREATE_TIME",
        key=None,
        value=b"",
        headers=[],
    )


def chunk(*offsets: int, failures: int = 0, invocations: int = 0, unreached: int = 0) -> Chunk:
    return Chunk(
        records=tuple(record(offset) for offset in offsets),
        failures=failures,
        invocations=invocations,
        unreached=unreached,
    )


def decide(tried: Chunk, outcome: Outcome, **policy: bool | int) -> Verdict:
    return judge(tried, outcome, RetryPolicy(**policy), max_wait_s=MAX_WAIT_S)  # type: ignore[arg-type]


def offsets(records: tuple[Record, ...]) -> list[int]:
    return [found.offset for found in records]


def items(**places: set[int]) -> ItemsFailed:
    return ItemsFailed(offsets={place.replace("_", "-"): frozenset(found) for place, found in places.items()})


def test_a_success_ends_everything() -> None:
    verdict = decide(chunk(1, 2, 3), Succeeded())
    assert (offsets(verdict.done), verdict.given_up, verdict.again) == ([1, 2, 3], (), ())


@pytest.mark.parametrize("failures", [0, 1, 9_999])
def test_without_a_cap_a_failed_batch_comes_again_whole_for_ever(failures: int) -> None:
    verdict = decide(chunk(1, 2, failures=failures, invocations=failures), RAISED, max_retries=INFINITE)
    assert verdict.again == (chunk(1, 2, failures=failures + 1, invocations=failures + 1),)
    assert not verdict.done
    assert not verdict.given_up


@pytest.mark.parametrize(
    ("max_retries", "failures_before", "is_given_up"),
    [(0, 0, True), (1, 0, False), (1, 1, True), (10, 9, False), (10, 10, True)],
)
def test_a_batch_is_given_up_after_the_first_attempt_and_its_retries(
    max_retries: int, failures_before: int, is_given_up: bool
) -> None:
    tried = chunk(1, 2, failures=failures_before, invocations=failures_before)
    verdict = decide(tried, RAISED, max_retries=max_retries)
    assert bool(verdict.given_up) is is_given_up
    assert bool(verdict.again) is not is_given_up
    if is_given_up:
        assert verdict.condition == RETRIES_EXHAUSTED
        assert verdict.invocations == failures_before + 1


def test_bisect_splits_in_order_and_spends_no_retry() -> None:
    verdict = decide(chunk(1, 2, 3, failures=2, invocations=5), RAISED, bisect=True, max_retries=2)
    assert verdict.again == (chunk(1, 2, failures=2, invocations=6), chunk(3, failures=2, invocations=6))


def test_bisect_stops_at_a_single_record_which_then_spends_its_retries() -> None:
    assert decide(chunk(1), RAISED, bisect=True, max_retries=1).again == (chunk(1, failures=1, invocations=1),)
    last = decide(chunk(1, failures=1, invocations=1), RAISED, bisect=True, max_retries=1)
    assert offsets(last.given_up) == [1]


def test_bisect_leaves_a_batch_whole_whose_answer_made_no_sense() -> None:
    nonsense = FunctionFailed(error="bad itemIdentifier", may_split=False)
    assert decide(chunk(1, 2), nonsense, bisect=True).again == (chunk(1, 2, failures=1, invocations=1),)


def test_reading_failed_only_brings_back_just_the_named_records() -> None:
    verdict = decide(chunk(4, 5, 6, 7), items(t_0={5, 7}), from_lowest=False)
    assert offsets(verdict.done) == [4, 6]
    assert verdict.again == (chunk(5, 7, failures=1, invocations=1),)


def test_reading_from_lowest_brings_back_everything_from_the_lowest_named_record() -> None:
    verdict = decide(chunk(4, 5, 6, 7), items(t_0={7, 5}), from_lowest=True)
    assert offsets(verdict.done) == [4]
    assert verdict.again == (chunk(5, 6, 7, failures=1, invocations=1),)


@pytest.mark.parametrize("from_lowest", [False, True])
def test_a_partition_without_failures_is_done_in_both_readings(from_lowest: bool) -> None:
    tried = Chunk(records=(record(1), record(2), record(8, partition=1), record(9, partition=1)))
    verdict = decide(tried, items(t_1={8}), from_lowest=from_lowest)
    done = [(found.partition, found.offset) for found in verdict.done]
    assert done == ([(0, 1), (0, 2)] if from_lowest else [(0, 1), (0, 2), (1, 9)])


@pytest.mark.parametrize("outcome", [items(t_0={99}), items(t_7={1}), items(t_0={1, 99})])
def test_an_identifier_of_another_batch_fails_all_of_this_one(outcome: ItemsFailed) -> None:
    verdict = decide(chunk(1, 2), outcome)
    assert not verdict.done
    assert verdict.again == (chunk(1, 2, failures=1, invocations=1),)


@pytest.mark.parametrize(("from_lowest", "given_up"), [(False, [5]), (True, [5, 6])])
def test_an_exhausted_partial_failure_gives_up_what_would_have_come_again(
    from_lowest: bool, given_up: list[int]
) -> None:
    verdict = decide(chunk(4, 5, 6, failures=3), items(t_0={5}), from_lowest=from_lowest, max_retries=3)
    assert offsets(verdict.given_up) == given_up
    assert sorted(offsets(verdict.done) + given_up) == [4, 5, 6]


@pytest.mark.parametrize("unreached", [0, 5, 1000])
def test_an_attempt_that_reached_nobody_does_not_count(unreached: int) -> None:
    tried = chunk(1, 2, failures=1, invocations=1, unreached=unreached)
    verdict = decide(tried, NotInvoked(reason="throttled"), max_retries=1, bisect=True)
    assert verdict.again == (chunk(1, 2, failures=1, invocations=1, unreached=unreached + 1),)
    assert verdict.wait_s > 0


def test_a_payload_that_lambda_finds_too_large_is_halved_down_to_the_record_to_blame() -> None:
    assert decide(chunk(1, 2), PayloadTooLarge()).again == (chunk(1), chunk(2))
    verdict = decide(chunk(1), PayloadTooLarge())
    assert (offsets(verdict.given_up), verdict.condition, verdict.invocations) == ([1], PAYLOAD_TOO_LARGE, 0)


def test_records_past_the_maximum_age_are_given_up_and_younger_ones_go_on() -> None:
    tried = Chunk(records=(record(1, timestamp_ms=1_000), record(2, timestamp_ms=40_000)), invocations=2)
    verdict = drop_expired(tried, RetryPolicy(max_age_s=60), now_ms=61_001)
    assert (offsets(verdict.given_up), verdict.condition, verdict.invocations) == ([1], TOO_OLD, 2)
    assert [offsets(left.records) for left in verdict.again] == [[2]]


def test_without_a_maximum_age_no_record_is_too_old() -> None:
    tried = chunk(1)
    assert drop_expired(tried, RetryPolicy(), now_ms=10**13) == Verdict(again=(tried,))


def test_waits_double_up_to_the_longest() -> None:
    assert [backoff_s(failures, MAX_WAIT_S) for failures in (1, 2, 3, 5, 6, 10_000)] == [0.1, 0.2, 0.4, 1.6, 2.0, 2.0]
