"""Runs one local stage from start to stop: `python -m local_stage.supervisor`, started by `./dev up`."""

import fcntl
import os
import shutil
import signal
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import FrameType

from local_stage.supervisor import control
from local_stage.supervisor.leftovers import HOME_VARIABLE, end_leftovers
from local_stage.supervisor.options import Options, parse
from local_stage.supervisor.starting import Stage
from local_stage.supervisor.state import FAILED, SERVING, STARTING, STOPPING, Fault, StateFile, StepState, remove_state
from local_stage.supervisor.steps import Cancelled, Step, StepFailed, run_steps

_WATCH_EVERY_S = 0.1
_ALREADY_SUPERVISED = 3

# An orphan gets another parent; read at once, because the command may die as early as that.
_PARENT = os.getppid()


class StopAsked(BaseException):
    """Somebody asked the stage to stop; not an Exception, so that nothing on the way takes it for a failure."""


class StepsIntoState:
    """Write how the steps go into the state file, where `./dev up` reads it."""

    def __init__(self, state: StateFile) -> None:
        self._state = state

    def began(self, step: Step) -> None:
        """Note a step as running."""
        self._state.set_step(StepState(name=step.name, title=step.title, outcome="running"))

    def ended(self, step: Step, seconds: float) -> None:
        """Note a step as done."""
        self._state.set_step(StepState(name=step.name, title=step.title, outcome="done", seconds=seconds))

    def failed(self, step: Step, seconds: float, cause: BaseException) -> None:
        """Note a step as failed, or as given up because of another one."""
        outcome = "cancelled" if isinstance(cause, Cancelled) else "failed"
        self._state.set_step(StepState(name=step.name, title=step.title, outcome=outcome, seconds=seconds))


def main() -> int:
    """Start the stage, keep it until a signal, stop it; 1 if it failed."""
    options = parse()
    options.home.mkdir(parents=True, exist_ok=True)
    os.environ[HOME_VARIABLE] = str(options.home)  # every child inherits it
    with _only_supervisor(options.home) as alone:
        if not alone:
            print(f"Another supervisor runs the stage in {options.home}.", file=sys.stderr)
            return _ALREADY_SUPERVISED
        for signal_number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
            signal.signal(signal_number, _raise_stop)
        return _supervise(options)


def _supervise(options: Options) -> int:
    end_leftovers(options.home)
    _clear(options)
    options.run.mkdir(parents=True)
    state = StateFile(options.home)
    stage = Stage(options, state)
    fault: Fault | None = None
    try:
        state.update(phase=STARTING)
        run_steps(stage.steps(), logs=options.logs, listener=StepsIntoState(state))
        state.update(phase=SERVING)
        fault = _watch(options, stage)
    except StepFailed as failed:
        fault = Fault(message=str(failed), log=str(failed.log), advice=failed.step.advice)
    except StopAsked:
        state.update(phase=STOPPING)
    for signal_number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
        signal.signal(signal_number, signal.SIG_IGN)
    stage.stop()
    end_leftovers(options.home)
    if fault is not None:
        # The logs of the parts lie in run/: they stay for the reader until the next start.
        state.update(phase=FAILED, fault=fault, pids={})
        return 1
    _clear(options)
    remove_state(options.home)
    return 0


def _watch(options: Options, stage: Stage) -> Fault:
    """Keep the stage until a part of it dies; StopAsked ends this."""
    while True:
        if options.attached and os.getppid() != _PARENT:
            raise StopAsked  # the command was killed: nobody is left to press Ctrl-C
        if stage.services is not None:
            control.answer_requests(options.home, stage.services)
        stage.record_pids()
        if dead := stage.dead_programs():
            log = stage.programs[dead[0]].log_path
            return Fault(message=f"{dead[0]} ended by itself", log=str(log), advice="./dev up starts the stage again.")
        time.sleep(_WATCH_EVERY_S)


def _clear(options: Options) -> None:
    for path in (options.run, options.home / "control"):
        shutil.rmtree(path, ignore_errors=True)


def _raise_stop(signal_number: int, frame: FrameType | None) -> None:
    del signal_number, frame
    raise StopAsked


@contextmanager
def _only_supervisor(home: Path) -> Iterator[bool]:
    """Hold the home's lock for as long as this process lives; the kernel lets go of it whatever ends the process."""
    with (home / "supervisor.lock").open("w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            yield False
            return
        yield True


if __name__ == "__main__":
    sys.exit(main())
