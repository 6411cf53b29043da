"""Walks: steps drawn from a seed, done to a fresh world, and made few when one fails."""

import json
import random
import traceback
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from tests.model import fates
from tests.model.acts import ACTS, MAX, Walker
from tests.model.ledger import Broken
from tests.model.promises import settle
from tests.model.world import World

Step = tuple[str, int, int, int, int]
Environ = Mapping[str, str]

assert fates.connect is ACTS["connect"][2]  # imported for the acts that it enters


@dataclass(frozen=True, kw_only=True)
class Failure:
    """A walk that breaks a promise, with as few steps as were found to do it."""

    seed: int
    steps: Sequence[Step]
    fault: Exception

    def render(self) -> str:
        """Return what to read, and how to see it again."""
        told = "".join(traceback.format_exception_only(self.fault))
        where = "" if isinstance(self.fault, Broken) else "".join(traceback.format_tb(self.fault.__traceback__)[-6:])
        lines = [where + told, f"seed {self.seed}; these steps do it:", *map(json.dumps, self.steps)]
        again = f"./dev test tests/model --walk-seed {self.seed}"
        return "\n".join([*lines, f"again: {again}, or --walk-steps FILE with the lines above in it"])


def draw_steps(seed: int, length: int) -> list[Step]:
    """Draw a walk. Each has its own habits: what it does often, what not at all, and whether anything fails."""
    dice = random.Random(seed)
    has_faults = dice.random() < 0.8
    weights = {
        name: weight * dice.choice((0.3, 1, 1, 3)) * (not is_fault or has_faults)
        for name, (weight, is_fault, _) in ACTS.items()
    }
    for name in dice.sample([name for name, (_, is_fault, _) in ACTS.items() if is_fault], 3):
        weights[name] = 0
    names = dice.choices(list(weights), list(weights.values()), k=length)
    most = MAX if has_faults else 850
    return [
        (name, dice.randrange(MAX), dice.randrange(MAX), dice.randrange(MAX), dice.randrange(most)) for name in names
    ]


def walk(
    environ: Environ, secret: str, steps: Sequence[Step], *, after_each: Callable[[], None] = lambda: None
) -> None:
    """Do the steps to a fresh world, come to rest, and hold all promises; raises what breaks."""
    with World(environ, secret).running() as world:
        world.redis.flushall()
        walker = Walker(world)
        for name, a, b, c, d in steps:
            world.ledger.turn += 1
            world.clock.advance_ms(40)
            ACTS[name][2](walker, a, b, c, d)
            after_each()
        settle(world)


def shrink(steps: list[Step], breaks: Callable[[list[Step]], bool]) -> list[Step]:
    """Leave out steps, in ever smaller runs, and quiet what strikes, as long as the walk still breaks."""
    size = max(1, len(steps) // 2)
    while True:
        at = 0
        while at < len(steps):
            fewer = steps[:at] + steps[at + size :]
            if breaks(fewer):
                steps = fewer
            else:
                at += size
        if size == 1:
            break
        size = max(1, size // 2)
    for at, (name, a, b, c, d) in enumerate(steps):
        for simpler in ((name, a, b, c, 0), (name, a, b, 0, d), (name, a, 0, c, d)):
            changed = [*steps[:at], simpler, *steps[at + 1 :]]
            if steps[at] != simpler and breaks(changed):
                steps = changed
                break
    return steps
