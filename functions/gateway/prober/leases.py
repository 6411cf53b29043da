"""Renews the leases of all instances, several times in a run, and takes note of those that do not answer."""

import time
from collections.abc import Callable, Collection, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

from gochat_aws.registry.instances import Instance
from gochat_aws.registry.lease import is_to_be_removed, judge
from gochat_aws.registry.registration import Registry
from gochat_core.errors import Unavailable
from gochat_core.sweeps import Counts, TimeLimit

ROUNDS = 3
ROUND_EVERY_S = 18.0
"""Three rounds fill most of the minute until the next run; a round with an instance that hangs takes 17 s."""

_AGAIN_AFTER_S = 1.0
_AT_ONCE = 16


@dataclass(frozen=True, kw_only=True)
class Leases:
    """The leases of the instances of some services."""

    registry: Registry
    services: Sequence[str]
    is_serving: Callable[[str, Instance], bool]
    pause: Callable[[float], None] = time.sleep
    monotonic_s: Callable[[], float] = time.monotonic

    def renew(self, limit: TimeLimit) -> Counts:  # noqa: ARG002  # rounds are counted, so that a jumping clock harms none
        """Go the rounds of one run. Safe to repeat and while another run does the same.

        A round that the registry does not answer is left out. Raises Unavailable when it answered none.
        """
        began_s = self.monotonic_s()
        done = dict.fromkeys(("InstancesProbed", "InstancesIll", "InstancesRecovered", "InstancesRemoved"), 0)
        ill_before: set[tuple[str, str]] | None = None
        away: Unavailable | None = None
        for number in range(ROUNDS):
            try:
                listed = [(service, one) for service in self.services for one in self._list(service)]
                if ill_before is None:
                    ill_before = {(service, one.instance_id) for service, one in listed if not one.healthy}
                for settled in self._settle_all(listed, ill_before if number == ROUNDS - 1 else set()):
                    done[settled] += 1
                done["InstancesProbed"] = max(done["InstancesProbed"], len(listed))
            except Unavailable as fault:
                away = fault
            if number < ROUNDS - 1:
                self.pause(max(0.0, began_s + (number + 1) * ROUND_EVERY_S - self.monotonic_s()))
        if away and ill_before is None:
            raise away
        return done

    def _settle_all(
        self, listed: Sequence[tuple[str, Instance]], ill_for_long: Collection[tuple[str, str]]
    ) -> Iterator[str]:
        """Ask all and write what changed; give the name of the count for each change."""
        for (service, one), healthy in zip(listed, self._ask_all(listed), strict=True):
            settled = self._settle(service, one, healthy, (service, one.instance_id) in ill_for_long)
            if settled:
                yield settled

    def _list(self, service: str) -> Sequence[Instance]:
        return self.registry.cloud_map.list_instances(service).instances

    def _ask_all(self, listed: Sequence[tuple[str, Instance]]) -> list[bool]:
        with ThreadPoolExecutor(max_workers=_AT_ONCE) as threads:
            return list(threads.map(lambda pair: self._ask(*pair), listed))

    def _ask(self, service: str, instance: Instance) -> bool:
        answers: list[bool] = []
        while (verdict := judge(answers, was_healthy=instance.healthy)) is None:
            if answers and not answers[-1]:
                self.pause(_AGAIN_AFTER_S)
            answers.append(self.is_serving(service, instance))
        return verdict

    def _settle(self, service: str, one: Instance, healthy: bool, ill_for_long: bool) -> str | None:
        """Write what changed, and nothing when nothing did; return the name of the count."""
        if is_to_be_removed(one, ill_since_an_earlier_run=ill_for_long, answers_now=healthy):
            self.registry.deregister(service, one.instance_id)
            return "InstancesRemoved"
        if healthy == one.healthy:
            return None
        self.registry.set_health(service, one.instance_id, healthy=healthy)
        return "InstancesRecovered" if healthy else "InstancesIll"
