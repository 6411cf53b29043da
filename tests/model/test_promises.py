from collections.abc import Mapping, Sequence
from pathlib import Path

import msgspec
import pytest

from tests.model.walk import Failure, Step, draw_steps, shrink, walk

WALKS = 60
STEPS = 250
"""Together 15,000 steps, without those that each walk takes to come to rest."""

KIND_LENGTH = 12
"""So much of a failure's text tells which promise it is about: while a walk is made shorter it stays the same one."""


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    config = metafunc.config
    steps, seed, count = (config.getoption(name) for name in ("--walk-steps", "--walk-seed", "--walks"))
    if steps:
        lines = Path(steps).read_text().splitlines()
        metafunc.parametrize(("seed", "steps"), [(0, [msgspec.json.decode(one, type=Step) for one in lines])])
    else:
        first, last = (0, WALKS) if seed is None else (seed, seed + 1)
        seeds = range(first, last if count is None else first + count)
        metafunc.parametrize(("seed", "steps"), [(one, draw_steps(one, STEPS)) for one in seeds], ids=map(str, seeds))


@pytest.mark.timeout(1_800)
def test_whatever_happens_the_promises_hold(
    environ: Mapping[str, str], secret: str, seed: int, steps: Sequence[Step], pytestconfig: pytest.Config
) -> None:
    first = _fault(environ, secret, steps)
    if first is None:
        return
    fewest, fault = list(steps), first
    if not pytestconfig.getoption("--walk-as-it-is"):
        fewest = shrink(fewest, lambda fewer: _is_alike(first, _fault(environ, secret, fewer)))
        fault = _fault(environ, secret, fewest) or first
    pytest.fail(Failure(seed=seed, steps=fewest, fault=fault).render(), pytrace=False)


def _fault(environ: Mapping[str, str], secret: str, steps: Sequence[Step]) -> Exception | None:
    try:
        walk(environ, secret, steps)
    except Exception as fault:  # noqa: BLE001 - whatever it is, it is told with the steps that lead to it
        return fault
    return None


def _is_alike(one: Exception, other: Exception | None) -> bool:
    return type(one) is type(other) and str(one)[:KIND_LENGTH] == str(other)[:KIND_LENGTH]
