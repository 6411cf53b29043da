"""Service discovery from beginning to end: register, heartbeat, discover, balance, call, drain, notice."""

from collections import Counter

from gochat_aws.registry.discover import REVISION_AFTER_S
from gochat_aws.registry.instances import LOGIC
from gochat_aws.registry.watch import Watch
from tests.fixtures.containers import containers
from tests.integration.registry.conftest import Place, open_caller


def test_a_service_registers_is_found_is_called_and_leaves_and_everybody_is_told(place: Place) -> None:
    registry = place.registry()
    with containers("a", "b") as (a, b):
        # Both register, with the health that they begin with.
        registry.register(LOGIC, a.instance(weight=75))
        registry.register(LOGIC, b.instance(weight=25))
        assert sorted(place.notices(2)) == [("a", "registered"), ("b", "registered")]

        # Heartbeat: the prober calls each and writes nothing, because nothing changed; each still finds itself there.
        probed = place.run_prober()
        assert probed == {"InstancesProbed": 2, "InstancesIll": 0, "InstancesRecovered": 0, "InstancesRemoved": 0}
        assert not registry.heartbeat(LOGIC, a.instance(weight=75))

        # A client discovers them.
        caller = open_caller(place)
        watch = Watch(LOGIC, caller.discovery.instances)
        assert watch.poll() == []
        assert [one.instance_id for one in caller.discovery.instances(LOGIC)] == ["a", "b"]

        # Its calls are balanced by weight, and answered.
        answers = Counter(caller.ask() for _ in range(400))
        assert answers["a"] + answers["b"] == 400
        # Five standard deviations of a quarter of 400 calls: 5 x root of 75.
        assert abs(answers["b"] - 100) < 44

        # One leaves: first it drains, and gets no call more, though it could still answer.
        registry.drain(LOGIC, b.instance(weight=25))
        assert place.notices(1) == [("b", "draining")]
        caller.clock.now_s += REVISION_AFTER_S
        served_until_then = b.calls
        assert {caller.ask() for _ in range(50)} == {"a"}
        assert b.calls == served_until_then

        # Then it deregisters, and whoever watches is told: by an event at once, by the next revision if that is lost.
        registry.deregister(LOGIC, "b")
        assert place.notices(1) == [("b", "deregistered")]
        caller.clock.now_s += REVISION_AFTER_S
        assert [(one.instance_id, one.change) for one in watch.poll()] == [("b", "deregistered")]
        assert {caller.ask() for _ in range(50)} == {"a"}
