import pytest

from local_stage.mappings.continuity import PATIENCE_S, Continuity


@pytest.fixture
def continuity() -> Continuity:
    begun = Continuity()
    begun.begin(0, 5)
    return begun


def _take(continuity: Continuity, *offsets: int, at_s: float = 0.0) -> list[int | None]:
    return [continuity.find_missing(0, offset, now_s=at_s) for offset in offsets]


def test_records_in_a_row_are_taken(continuity: Continuity) -> None:
    assert _take(continuity, 5, 6, 7) == [None, None, None]


def test_what_comes_after_a_missing_record_waits_for_it(continuity: Continuity) -> None:
    assert _take(continuity, 5, 7, 8) == [None, 6, 6]
    assert _take(continuity, 6, 7, 8) == [None, None, None]


def test_the_first_record_of_all_may_be_missing_too() -> None:
    fresh = Continuity()
    fresh.begin(0, 0)
    assert _take(fresh, 1) == [0]


def test_where_nothing_is_expected_the_first_record_begins() -> None:
    fresh = Continuity()
    fresh.begin(0, None)
    assert _take(fresh, 42, 44) == [None, 43]


def test_a_record_that_stays_away_is_given_up(continuity: Continuity) -> None:
    assert _take(continuity, 9) == [5]
    assert _take(continuity, 9, at_s=PATIENCE_S - 0.1) == [5]
    assert _take(continuity, 9, 10, at_s=PATIENCE_S) == [None, None]


def test_patience_begins_anew_with_each_gap(continuity: Continuity) -> None:
    _take(continuity, 7)
    assert _take(continuity, 5, 6, 7, at_s=1.0) == [None, None, None]
    assert _take(continuity, 9, at_s=PATIENCE_S + 0.5) == [8]


def test_an_offset_that_goes_back_is_taken_because_the_topic_was_made_anew(continuity: Continuity) -> None:
    assert _take(continuity, 5, 0, 1) == [None, None, None]


def test_partitions_are_followed_apart(continuity: Continuity) -> None:
    continuity.begin(1, 0)
    assert continuity.find_missing(1, 3, now_s=0.0) == 0
    assert _take(continuity, 5) == [None]
    continuity.forget(1)
    assert continuity.find_missing(1, 3, now_s=0.0) is None
