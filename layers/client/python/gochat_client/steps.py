"""Steps that are timed: each has a name, a length, and whether it went well."""

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from gochat_client.faults import StepFailedError


@dataclass(frozen=True, kw_only=True)
class Timing:
    """How long one step took, and whether it went well."""

    step: str
    seconds: float
    ok: bool


class Steps:
    """The steps of one walk; `timings` tells of each that was begun."""

    def __init__(self, tell: Callable[[Timing], None] | None = None) -> None:
        self.timings: list[Timing] = []
        self._tell = tell

    @contextmanager
    def step(self, name: str) -> Iterator[None]:
        """Time what is done inside; an answer that lacks what it must have is a StepFailedError too."""
        began = time.perf_counter()
        ok = False
        try:
            yield
            ok = True
        except KeyError as error:
            raise StepFailedError(
                f"{name}: the answer lacks {error}.", advice="Does another GoChat serve there?"
            ) from error
        finally:
            timing = Timing(step=name, seconds=time.perf_counter() - began, ok=ok)
            self.timings.append(timing)
            if self._tell:
                self._tell(timing)

    @property
    def failed(self) -> str | None:
        """The first step that failed."""
        return next((timing.step for timing in self.timings if not timing.ok), None)
