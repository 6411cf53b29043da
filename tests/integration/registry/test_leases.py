"""Leases: who does not answer is ill, is routed around, and goes if it registered itself; the stack's never go."""

import socket

import grpc
import msgspec
import pytest

from gateway.prober.health_calls import HealthCalls
from gateway.prober.leases import ROUND_EVERY_S, ROUNDS, Leases
from gochat_aws.registry.choose import EJECT_AFTER, EJECTED_S
from gochat_aws.registry.discover import REFRESH_AFTER_S
from gochat_aws.registry.instances import LOGIC, Instance
from gochat_core.errors import Unavailable
from tests.fakes.registry import Stopwatch
from tests.fixtures.containers import containers
from tests.fixtures.moto_endpoint import MotoEndpoint
from tests.integration.registry.conftest import REGION, Place, open_caller

NOTICED_WITHIN_S = 75.0


def _health(place: Place) -> dict[str, bool]:
    return {one.instance_id: one.healthy for one in place.cloud_map().list_instances(LOGIC).instances}


def test_a_killed_instance_is_ill_after_the_next_run_and_failed_three_calls_at_most(place: Place) -> None:
    registry = place.registry()
    with containers("a", "b") as (a, b):
        registry.register(LOGIC, a.instance())
        registry.register(LOGIC, b.instance())
        caller = open_caller(place)
        assert {caller.ask() for _ in range(50)} == {"a", "b"}

        b.kill()
        failed = 0
        for _ in range(200):
            try:
                assert caller.ask() == "a"
            except grpc.RpcError:
                failed += 1
        assert failed <= EJECT_AFTER == 3

        assert place.run_prober()["InstancesIll"] == 1
        assert _health(place) == {"a": True, "b": False}
        assert ("b", "unhealthy") in place.notices(3)
        # Its own ejection is over by now; the registry's word keeps calls away.
        caller.clock.now_s += EJECTED_S + REFRESH_AFTER_S
        assert {caller.ask() for _ in range(50)} == {"a"}


def test_status_is_written_only_when_it_changes(place_on_moto: Place, moto: MotoEndpoint) -> None:
    registry = place_on_moto.registry()
    with containers("a") as (a,):
        registry.register(LOGIC, a.instance())
        place_on_moto.run_prober()
        assert "UpdateInstanceCustomHealthStatus" not in moto.operations
        a.admits = False
        place_on_moto.run_prober()
        assert moto.operations.count("UpdateInstanceCustomHealthStatus") == 1


def test_an_instance_begins_as_it_says_and_is_well_once_it_answers(place: Place) -> None:
    with containers("a") as (a,):
        place.registry().register(LOGIC, msgspec.structs.replace(a.instance(), healthy=False))
        assert _health(place) == {"a": False}
        assert place.run_prober()["InstancesRecovered"] == 1
        assert _health(place) == {"a": True}
        assert place.notices(2) == [("a", "registered"), ("a", "healthy")]


@pytest.mark.parametrize(("origin", "left"), [("self", []), ("stack", ["a"])])
def test_who_stays_away_is_removed_a_run_later_if_it_registered_itself_and_never_if_the_stack_did(
    place: Place, origin: str, left: list[str]
) -> None:
    registry = place.registry()
    with containers("a") as (a,):
        one = msgspec.structs.replace(a.instance(), origin=origin)
        registry.register(LOGIC, one)
        a.kill()
        assert place.run_prober()["InstancesRemoved"] == 0
        assert _health(place) == {"a": False}
        assert place.run_prober()["InstancesRemoved"] == (0 if left else 1)
        assert sorted(_health(place)) == left
        if not left:
            # A container whose network was away comes back by its own heartbeat.
            assert registry.heartbeat(LOGIC, one)
            assert _health(place) == {"a": True}


def test_an_instance_that_lies_about_its_health_is_left_alone_by_who_called_it(place: Place) -> None:
    registry = place.registry()
    with containers("honest", "liar") as (honest, liar):
        registry.register(LOGIC, honest.instance())
        registry.register(LOGIC, liar.instance())
        liar.works = False
        caller = open_caller(place)
        failed = 0
        for _ in range(200):
            try:
                caller.ask()
            except grpc.RpcError:
                failed += 1
        assert failed <= EJECT_AFTER
        assert place.run_prober()["InstancesIll"] == 0, "the prober believes it"
        liar.works = True
        caller.clock.now_s += EJECTED_S + 1
        assert {caller.ask() for _ in range(100)} == {"honest", "liar"}


def test_when_all_look_ill_calls_still_go_to_them(place: Place) -> None:
    registry = place.registry()
    with containers("a", "b") as (a, b):
        for one in (a, b):
            registry.register(LOGIC, msgspec.structs.replace(one.instance(), origin="stack"))
            one.admits = False
        place.run_prober()
        assert _health(place) == {"a": False, "b": False}
        caller = open_caller(place)
        assert {caller.ask() for _ in range(50)} == {"a", "b"}


def test_the_runs_of_the_prober_leave_no_gap_in_which_a_death_stays_unnoticed_for_75_seconds() -> None:
    """The latest notice: dead right after the last round, found by the first of the next run, a minute after the other.

    A hung instance takes its health calls' whole time. On top come schedules that fire late.
    """
    misses = 3
    hung_s = misses * 5.0 + (misses - 1) * 1.0
    gap_s = 60.0 - (ROUNDS - 1) * ROUND_EVERY_S
    late_s = 30.0
    assert gap_s + hung_s + late_s <= NOTICED_WITHIN_S
    assert (ROUNDS - 1) * ROUND_EVERY_S + hung_s < 60.0, "a run with a hung instance ends before its function's time"


def test_a_run_fills_most_of_its_minute_and_waits_between_its_rounds() -> None:
    clock, asked_at_s = Stopwatch(0.0), list[float]()

    class OneInstance:
        def list_instances(self, service: str) -> object:
            class Found:
                instances = (Instance(instance_id="a"),)

            return Found()

    class Writer:
        cloud_map = OneInstance()

    def is_serving(service: str, instance: Instance) -> bool:
        asked_at_s.append(clock.now_s)
        return True

    leases = Leases(
        registry=Writer(),  # type: ignore[arg-type]
        services=[LOGIC],
        is_serving=is_serving,
        pause=clock.pause,
        monotonic_s=clock,
    )
    leases.renew(None)  # type: ignore[arg-type]
    assert asked_at_s == [0.0, 18.0, 36.0]


def test_a_round_that_the_registry_does_not_answer_is_left_out_and_the_next_one_finds_who_is_gone(
    place_on_moto: Place, moto: MotoEndpoint
) -> None:
    clock = Stopwatch()
    with containers("a") as (a,):
        place_on_moto.registry().register(LOGIC, a.instance())
        a.kill()

        def answer_again(for_s: float) -> None:
            moto.fault = None
            clock.pause(for_s)

        moto.fault = (400, "RequestLimitExceeded")
        leases = Leases(
            registry=place_on_moto.registry(),
            services=[LOGIC],
            is_serving=HealthCalls(region=REGION).is_serving,
            pause=answer_again,
            monotonic_s=clock,
        )
        assert leases.renew(None)["InstancesIll"] == 1  # type: ignore[arg-type]


def test_a_run_that_the_registry_never_answers_is_a_failure_to_be_seen(
    place_on_moto: Place, moto: MotoEndpoint
) -> None:
    moto.fault = (503, "")
    with pytest.raises(Unavailable):
        place_on_moto.run_prober()


def test_a_hung_container_counts_as_one_that_does_not_answer() -> None:
    with socket.socket() as deaf:
        deaf.bind(("127.0.0.1", 0))
        deaf.listen()
        hung = Instance(instance_id="hung", endpoint=f"grpc://127.0.0.1:{deaf.getsockname()[1]}")
        assert not HealthCalls(region=REGION).is_serving(LOGIC, hung)


def test_a_container_answers_for_itself() -> None:
    with containers("a") as (a,):
        calls = HealthCalls(region=REGION)
        assert calls.is_serving(LOGIC, a.instance())
        a.admits = False
        assert not calls.is_serving(LOGIC, a.instance())
