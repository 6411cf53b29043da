import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from local_stage.mappings.backlog import Backlog, BatchRules
from local_stage.mappings.records import Envelope, Record, make_record

ENVELOPE = Envelope(event_source="SelfManagedKafka", event_source_arn=None, bootstrap="127.0.0.1:9092")


def record(offset: int, partition: int = 0, *, size: int = 0) -> Record:
    return make_record(
        topic="t",
        partition=partition,
        offset=offset,
        timestamp_ms=0,
        timestamp_type="CREATE_TIME",
        key=None,
        value=b"x" * size,
        headers=[],
    )


def backlog(*, batch_size: int = 100, window_s: float = 0, max_bytes: int = 6 * 2**20, partitions: int = 1) -> Backlog:
    made = Backlog(BatchRules(batch_size=batch_size, window_s=window_s, envelope=ENVELOPE, max_bytes=max_bytes))
    for number in range(partitions):
        made.open(number, start=0)
    return made


def add(held: Backlog, *records: Record, now_s: float = 0) -> None:
    for item in records:
        held.add(item.partition, item.offset, item, now_s=now_s)


def places(batch: tuple[Record, ...]) -> list[tuple[int, int]]:
    return [(item.partition, item.offset) for item in batch]


def test_window_zero_takes_whatever_is_there_at_once() -> None:
    held = backlog(batch_size=10)
    add(held, record(0))
    assert held.due_in(now_s=0) == 0
    assert places(held.take(now_s=0)) == [(0, 0)]


def test_a_batch_waits_for_its_window_from_the_first_record_on() -> None:
    held = backlog(batch_size=10, window_s=2)
    add(held, record(0), now_s=100)
    add(held, record(1), now_s=101)
    assert held.due_in(now_s=101) == 1
    assert held.take(now_s=101) == ()
    assert places(held.take(now_s=102)) == [(0, 0), (0, 1)]


def test_a_full_batch_does_not_wait_for_its_window() -> None:
    held = backlog(batch_size=2, window_s=300)
    add(held, record(0), record(1), record(2))
    assert places(held.take(now_s=0)) == [(0, 0), (0, 1)]


def test_a_full_payload_does_not_wait_for_its_window_and_is_not_exceeded() -> None:
    held = backlog(window_s=300, max_bytes=20_000)
    add(held, *(record(offset, size=6000) for offset in range(4)))
    batch = held.take(now_s=0)
    assert places(batch) == [(0, 0), (0, 1)]
    assert len(ENVELOPE.event(batch)) <= 20_000


def test_a_record_larger_than_any_payload_goes_alone() -> None:
    held = backlog(max_bytes=10_000)
    add(held, record(0, size=20_000), record(1))
    assert places(held.take(now_s=0)) == [(0, 0)]


def test_one_payload_mixes_partitions_the_longest_waiting_first() -> None:
    held = backlog(batch_size=3, partitions=3)
    add(held, record(0, partition=2), now_s=1)
    add(held, record(0, partition=0), now_s=2)
    add(held, record(0, partition=1), record(1, partition=1), now_s=3)
    assert places(held.take(now_s=4)) == [(2, 0), (0, 0), (1, 0)]


def test_a_partition_at_the_function_gives_no_further_batch_until_all_of_it_is_done() -> None:
    held = backlog(partitions=2)
    add(held, record(0), record(1))
    first = held.take(now_s=0)
    add(held, record(2), record(0, partition=1))
    assert places(held.take(now_s=0)) == [(1, 0)]
    held.finish(first[:1])
    assert held.due_in(now_s=0) is None
    held.finish(first[1:])
    assert places(held.take(now_s=0)) == [(0, 2)]


def test_the_commit_stops_at_the_first_record_that_is_not_done() -> None:
    held = backlog()
    add(held, *(record(offset) for offset in range(4)))
    batch = held.take(now_s=0)
    assert held.finish([batch[1], batch[3]]) == {}
    assert held.finish([batch[0]]) == {0: 2}
    assert held.finish([batch[2]]) == {0: 4}


def test_filtered_records_are_committed_without_a_batch() -> None:
    held = backlog()
    assert held.add(0, 0, None, now_s=0) is True
    assert held.positions() == {0: 1}
    assert held.due_in(now_s=0) is None


def test_filtered_records_behind_others_are_committed_with_them() -> None:
    held = backlog()
    add(held, record(0))
    held.add(0, 1, None, now_s=0)
    add(held, record(2))
    held.add(0, 3, None, now_s=0)
    batch = held.take(now_s=0)
    assert places(batch) == [(0, 0), (0, 2)]
    assert held.finish(batch) == {0: 4}


def test_filtered_records_do_not_fill_a_batch() -> None:
    held = backlog(batch_size=2, window_s=10)
    add(held, record(0))
    for offset in (1, 2, 3):
        held.add(0, offset, None, now_s=0)
    assert held.due_in(now_s=0) == 10


def test_offsets_with_gaps_are_committed_past_the_gap() -> None:
    held = backlog()
    add(held, record(3), record(9))
    assert held.finish(held.take(now_s=0)) == {0: 10}


def test_a_topic_made_anew_is_read_from_its_new_beginning() -> None:
    held = backlog()
    add(held, record(0), record(1))
    old = held.take(now_s=0)
    new = record(0)
    add(held, new)
    assert held.take(now_s=0) == (new,)
    assert held.finish(old) == {}, "the old topic's records count for nothing"
    assert held.finish([new]) == {0: 1}


def test_a_lost_partition_takes_its_late_answers_with_it() -> None:
    held = backlog()
    add(held, record(0))
    batch = held.take(now_s=0)
    held.close(0)
    assert held.finish(batch) == {}
    assert held.partitions() == set()


def test_a_partition_without_a_known_start_has_no_position_until_its_first_record() -> None:
    held = backlog(partitions=0)
    held.open(0, start=None)
    assert held.positions() == {}
    add(held, record(41))
    assert held.positions() == {0: 41}
    assert held.outstanding() == 1


@pytest.mark.parametrize("count", [0, 3])
def test_what_waits_and_what_is_outstanding_is_counted(count: int) -> None:
    held = backlog(batch_size=2)
    add(held, *(record(offset) for offset in range(count)))
    assert held.waiting(0)[0] == count
    held.take(now_s=0)
    assert held.outstanding() == count


@given(
    partitions=st.integers(1, 4),
    count=st.integers(1, 60),
    batch_size=st.integers(1, 9),
    seed=st.integers(0, 10_000),
)
def test_every_record_goes_once_and_each_partition_in_order(
    partitions: int, count: int, batch_size: int, seed: int
) -> None:
    """Model: any interleaving of arrivals, workers taking batches, and batches finishing piecemeal in any order."""
    chance = random.Random(seed)
    held = backlog(batch_size=batch_size, partitions=partitions)
    arriving = {number: list(range(count)) for number in range(partitions)}
    dropped = {(number, offset) for number in range(partitions) for offset in range(count) if chance.random() < 0.2}
    taken: dict[int, list[int]] = {number: [] for number in range(partitions)}
    under_way: list[list[Record]] = []
    committed = dict.fromkeys(range(partitions), 0)
    while any(arriving.values()) or held.outstanding():
        move = chance.random()
        sources = [number for number, offsets in arriving.items() if offsets]
        if move < 0.4 and sources:
            number = chance.choice(sources)
            offset = arriving[number].pop(0)
            held.add(number, offset, None if (number, offset) in dropped else record(offset, number), now_s=0)
        elif move < 0.7 and (batch := held.take(now_s=0)):
            assert not {item.partition for item in batch} & {item.partition for b in under_way for item in b}
            for item in batch:
                taken[item.partition].append(item.offset)
            under_way.append(list(batch))
        elif under_way:
            batch_under_way = chance.choice(under_way)
            done = batch_under_way.pop(chance.randrange(len(batch_under_way)))
            for number, offset in held.finish([done]).items():
                assert offset > committed[number]
                committed[number] = offset
            under_way = [left for left in under_way if left]
    assert held.positions() == dict.fromkeys(range(partitions), count)
    for number in range(partitions):
        assert taken[number] == [offset for offset in range(count) if (number, offset) not in dropped]
