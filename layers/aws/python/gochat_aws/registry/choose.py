"""Chooses the instance that takes a call: by weight, past those that are ill, draining or failed here. No I/O."""

import random
import threading
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass

from gochat_aws.registry.instances import Instance

EJECT_AFTER = 3
"""Failures in a row after which a caller leaves an instance alone, whatever the registry says of it."""

EJECTED_S = 30.0
"""For how long at first: about as long as the registry takes to tell of an instance's illness by itself."""

LONGEST_EJECTION_S = 300.0


@dataclass(kw_only=True, slots=True)
class _Record:
    """What one caller saw of one instance."""

    failures: int = 0
    ejections: int = 0
    ejected_at_s: float = 0.0
    lasts_s: float = 0.0

    def is_ejected(self, now_s: float) -> bool:
        # A clock that jumped back would eject for ever: then it is over.
        return 0.0 <= now_s - self.ejected_at_s < self.lasts_s


class Outliers:
    """Which instances one caller leaves alone, by what it saw itself. Safe for use by several threads.

    Ejected after `EJECT_AFTER` failures in a row; let in again after a while that doubles each time; then one failure
    ejects again and one success forgets it all.
    """

    def __init__(self, now_s: Callable[[], float] = time.monotonic) -> None:
        self._now_s = now_s
        self._records: dict[str, _Record] = {}
        self._lock = threading.Lock()

    def succeeded(self, instance_id: str) -> None:
        """Note that a call was answered."""
        if instance_id in self._records:
            with self._lock:
                self._records.pop(instance_id, None)

    def failed(self, instance_id: str) -> bool:
        """Note that a call failed by the instance's fault; tell whether that ejected it."""
        now_s = self._now_s()
        with self._lock:
            record = self._records.setdefault(instance_id, _Record())
            if record.is_ejected(now_s):
                return False
            record.failures += 1
            if record.failures < EJECT_AFTER and not record.ejections:
                return False
            record.lasts_s = min(EJECTED_S * 2**record.ejections, LONGEST_EJECTION_S)
            record.ejected_at_s = now_s
            record.ejections += 1
            return True

    def is_ejected(self, instance_id: str) -> bool:
        """Tell whether to leave an instance alone now."""
        record = self._records.get(instance_id)
        return record is not None and record.is_ejected(self._now_s())

    def keep_only(self, instance_ids: Iterable[str]) -> None:
        """Forget instances that are there no more, so that a container's memory of them does not grow."""
        with self._lock:
            for gone in self._records.keys() - set(instance_ids):
                del self._records[gone]


def candidates(instances: Sequence[Instance], is_ejected: Callable[[str], bool]) -> Sequence[Instance]:
    """Return those that a call may go to; never none as long as there is one.

    Each sieve that would leave nobody is left out: when every instance looks ill it is rather the look that is ill
    (Cloud Map's `HEALTHY_OR_ELSE_ALL`), and when every one failed here, no other is better.
    """
    sieves: tuple[Callable[[Instance], bool], ...] = (
        lambda one: not one.draining,
        lambda one: one.healthy,
        lambda one: not is_ejected(one.instance_id),
        lambda one: one.weight > 0,
    )
    left = instances
    for sieve in sieves:
        left = [one for one in left if sieve(one)] or left
    return left


def choose(
    instances: Sequence[Instance],
    is_ejected: Callable[[str], bool],
    draw: Callable[[], float] = random.random,
) -> Instance | None:
    """Return the instance for one call, drawn by weight among the candidates; None when there is none.

    `draw` gives numbers from 0 up to and without 1. Linear in the number of instances.
    """
    fit = candidates(instances, is_ejected)
    if not fit:
        return None
    place = draw() * sum(one.weight for one in fit)
    for one in fit:
        place -= one.weight
        if place < 0:
            return one
    # All weigh nothing: any is as good.
    return fit[int(draw() * len(fit))]


def best_first(cells: Sequence[Instance], loads: Mapping[str, int]) -> list[Instance]:
    """Sort cells for a client: healthy ones first, then by weight, then by connections; draining ones are left out.

    Unless all drain, since then a client has nowhere else to go.
    """
    open_to_clients = [one for one in cells if not one.draining] or cells
    return sorted(
        open_to_clients,
        key=lambda one: (not one.healthy, -one.weight, loads.get(one.instance_id, 0), one.instance_id),
    )
