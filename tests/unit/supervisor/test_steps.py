"""Steps that depend on each other."""

import sys
import threading
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from local_stage.supervisor.steps import Cancelled, CommandFailed, Step, StepContext, StepFailed, run_steps

PYTHON = sys.executable


@dataclass
class Diary:
    """Remembers what it was told."""

    lines: list[str] = field(default_factory=list)

    def began(self, step: Step) -> None:
        self.lines.append(f"{step.name} began")

    def ended(self, step: Step, seconds: float) -> None:
        self.lines.append(f"{step.name} ended")

    def failed(self, step: Step, seconds: float, cause: BaseException) -> None:
        self.lines.append(f"{step.name} {'cancelled' if isinstance(cause, Cancelled) else 'failed'}")


def step(name: str, run: object = None, *after: str) -> Step:
    def nothing(context: StepContext) -> None:
        del context

    return Step(name=name, title=name.capitalize(), run=run or nothing, after=after)  # type: ignore[arg-type]


def test_a_step_begins_when_those_it_needs_have_ended(tmp_path: Path) -> None:
    diary = Diary()
    run_steps([step("a"), step("b", None, "a"), step("c", None, "b")], logs=tmp_path, listener=diary)
    assert diary.lines == ["a began", "a ended", "b began", "b ended", "c began", "c ended"]


def test_steps_that_need_nothing_of_each_other_run_together(tmp_path: Path) -> None:
    both = threading.Barrier(2, timeout=30)
    run_steps(
        [step("a", lambda context: both.wait()), step("b", lambda context: both.wait())],
        logs=tmp_path,
        listener=Diary(),
    )
    assert both.broken is False


def test_a_program_that_fails_fails_its_step_and_its_output_is_in_the_log(tmp_path: Path) -> None:
    def fail(context: StepContext) -> None:
        context.run([PYTHON, "-c", "import sys; print('what went wrong'); sys.exit(7)"])

    with pytest.raises(StepFailed) as failed:
        run_steps([step("a", fail), step("b", None, "a")], logs=tmp_path, listener=Diary())
    assert isinstance(failed.value.cause, CommandFailed)
    assert "what went wrong" in failed.value.log.read_text()


def test_when_one_step_fails_the_programs_of_the_others_are_ended(tmp_path: Path) -> None:
    diary = Diary()
    started = threading.Event()

    def run_forever(context: StepContext) -> None:
        started.set()
        context.run([PYTHON, "-c", "import time; time.sleep(600)"])

    def fail(context: StepContext) -> None:
        started.wait(30)
        raise CommandFailed("no network")

    with pytest.raises(StepFailed, match="Bad failed: no network"):
        run_steps([step("endless", run_forever), step("bad", fail)], logs=tmp_path, listener=diary)
    assert "endless cancelled" in diary.lines


def test_a_step_must_stand_behind_what_it_needs(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="stands before what it needs: b"):
        run_steps([step("a", None, "b"), step("b")], logs=tmp_path, listener=Diary())
