"""Readers that a writer overtakes, step by step: nothing old is left behind, at any level."""

from collections.abc import Callable

import pytest
import redis

from gochat_core.errors import Unavailable
from tests.integration.repo.caching.containers import Container, Containers, new_id

pytestmark = pytest.mark.usefixtures("side_door")


@pytest.fixture
def people(containers: Containers) -> tuple[Container, Container, int]:
    """Give the test a reader, a writer and a thing that is 1; the reader follows its stream."""
    reader, writer, thing = containers.open(), containers.open(), new_id()
    writer.write_row(thing, 1)
    reader.remember(thing)
    reader.values._flights.forget_all()
    return reader, writer, thing


def forget_in_redis(side_door: "redis.RedisCluster", thing: int) -> None:
    side_door.delete(f"thing:{thing}")


def once(step: Callable[[], object], container: Container, *, before: bool = False) -> None:
    """Do a step in the middle of the container's next reading."""

    def hook() -> None:
        container.hooks.before_load = container.hooks.after_load = None
        step()

    if before:
        container.hooks.before_load = hook
    else:
        container.hooks.after_load = hook


def check_new_everywhere(containers: Containers, reader: Container, thing: int, value: int | None) -> None:
    reader.send_a_pipeline()
    assert reader.get(thing) == value
    assert containers.open().get(thing) == value
    assert containers.open().get(thing) == value


def test_a_reader_that_read_before_the_commit_fills_nothing(
    containers: Containers, people: tuple[Container, Container, int], side_door: "redis.RedisCluster"
) -> None:
    reader, writer, thing = people
    forget_in_redis(side_door, thing)
    once(lambda: writer.write(thing, 2), reader)
    assert reader.get(thing) == 1, "it was asked before the change"
    check_new_everywhere(containers, reader, thing, 2)


def test_a_reader_that_comes_back_after_every_tombstone_has_gone_fills_nothing(
    containers: Containers, people: tuple[Container, Container, int], side_door: "redis.RedisCluster"
) -> None:
    reader, writer, thing = people
    forget_in_redis(side_door, thing)

    def write_and_let_a_minute_pass() -> None:
        writer.write(thing, 2)
        forget_in_redis(side_door, thing)

    once(write_and_let_a_minute_pass, reader)
    assert reader.get(thing) == 1
    assert side_door.get(f"thing:{thing}") is None
    check_new_everywhere(containers, reader, thing, 2)


def test_a_reader_in_the_middle_of_a_write_fills_nothing(
    containers: Containers, people: tuple[Container, Container, int]
) -> None:
    reader, writer, thing = people
    with writer.values.changing(writer.things, [thing]):
        assert reader.get(thing) == 1
        writer.write_row(thing, 2)
        assert reader.get(thing) == 2, "the writer is asked"
    check_new_everywhere(containers, reader, thing, 2)


def test_a_writer_that_dies_after_its_commit_leaves_nothing_old(
    containers: Containers, people: tuple[Container, Container, int], side_door: "redis.RedisCluster"
) -> None:
    reader, writer, thing = people
    block = writer.values.changing(writer.things, [thing])
    block.__enter__()
    reader.get(thing)
    writer.write_row(thing, 2)
    assert reader.get(thing) == containers.open().get(thing) == 2
    forget_in_redis(side_door, thing)  # what half a minute does
    check_new_everywhere(containers, reader, thing, 2)


def test_a_write_whose_outcome_is_unknown_invalidates_too(
    containers: Containers, people: tuple[Container, Container, int]
) -> None:
    reader, writer, thing = people
    reader.remember(thing)

    def write() -> None:
        with writer.values.changing(writer.things, [thing]):
            writer.write_row(thing, 2)
            raise Unavailable("the answer to COMMIT was lost")

    with pytest.raises(Unavailable):
        write()
    check_new_everywhere(containers, reader, thing, 2)


def test_a_reader_that_claimed_what_was_written_is_overtaken_by_the_next_write(
    containers: Containers, people: tuple[Container, Container, int]
) -> None:
    reader, writer, thing = people
    writer.write(thing, 2)
    once(lambda: writer.write(thing, 3), reader)
    assert reader.get(thing) == 2
    check_new_everywhere(containers, reader, thing, 3)


def test_what_was_kept_after_a_login_is_overtaken_by_a_change(
    containers: Containers, people: tuple[Container, Container, int]
) -> None:
    reader, writer, thing = people
    writer.write(thing, 2)
    reader.values.remember(reader.things, {thing: 1})
    check_new_everywhere(containers, reader, thing, 2)


def test_a_lagging_reader_never_brings_an_old_value_back(
    containers: Containers, people: tuple[Container, Container, int]
) -> None:
    reader, writer, thing = people
    for value in (2, 3):
        for one in (reader, writer):
            one.database.freeze_reader()
        writer.write(thing, value)
        assert reader.database.read_replica(lambda tx: reader.things.load(tx, [thing]))[thing] == value - 1
        check_new_everywhere(containers, reader, thing, value)


def test_a_lagging_reader_does_not_hide_what_has_just_appeared(containers: Containers) -> None:
    reader, writer, thing = containers.open(), containers.open(), new_id()
    reader.database.freeze_reader()
    assert reader.get(thing) is None
    writer.write(thing, 1)
    assert reader.get(thing) == 1


def test_what_is_erased_is_gone(containers: Containers, people: tuple[Container, Container, int]) -> None:
    reader, writer, thing = people
    reader.database.freeze_reader()
    with writer.values.changing(writer.things, [thing]):
        writer.database.transaction(lambda tx: tx.execute("DELETE FROM things WHERE thing_id = %s", (thing,)))
    check_new_everywhere(containers, reader, thing, None)


def test_an_invalidation_heard_while_a_value_is_read_keeps_it_from_being_remembered(
    containers: Containers, people: tuple[Container, Container, int], side_door: "redis.RedisCluster"
) -> None:
    reader, writer, thing = people
    forget_in_redis(side_door, thing)

    def write_and_let_another_thread_hear() -> None:
        writer.write(thing, 2)
        reader.send_a_pipeline()

    once(write_and_let_another_thread_hear, reader)
    assert reader.get(thing) == 1
    assert reader.get(thing) == 2, "nothing was remembered, though the invalidation is behind us"
