"""Runs steps that depend on each other, in parallel where they don't, each with a log of its own."""

import os
import signal
import subprocess
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

_POLL_S = 0.05
_GRACE_S = 5.0


class CommandFailed(Exception):
    """A program that a step ran ended with a failure; its output stands in the step's log."""


class Cancelled(Exception):
    """The step was given up because another one failed or the user interrupted."""


@dataclass(frozen=True, kw_only=True)
class StepContext:
    """What a running step gets: its log, and a way to run programs that ends with the step."""

    log: Path
    cancelled: threading.Event

    def run(
        self, command: Sequence[str | Path], *, env: Mapping[str, str] | None = None, cwd: Path | None = None
    ) -> None:
        """Run a program to its end with its output in the log; CommandFailed or Cancelled if it does not succeed."""
        with self.log.open("ab") as log:
            log.write(f"$ {' '.join(map(str, command))}\n".encode())
            log.flush()
            program = subprocess.Popen(
                [str(word) for word in command],
                env=None if env is None else dict(env),
                cwd=cwd,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )
        code = self._wait(program)
        if code:
            raise CommandFailed(f"{Path(command[0]).name} ended with {code}")

    def note(self, text: str) -> None:
        """Write a line into the step's log."""
        with self.log.open("a") as log:
            log.write(f"{text}\n")

    def _wait(self, program: subprocess.Popen[bytes]) -> int:
        while True:
            try:
                return program.wait(_POLL_S)
            except subprocess.TimeoutExpired:
                if self.cancelled.is_set():
                    end_group(program)
                    raise Cancelled from None


@dataclass(frozen=True, kw_only=True)
class Step:
    """One thing to do: `run` raises whatever shows that it failed; `after` names the steps that it needs."""

    name: str
    title: str
    run: Callable[[StepContext], None]
    after: tuple[str, ...] = ()
    advice: str = ""


class StepFailed(Exception):
    """One step failed with `cause`; the others were ended."""

    def __init__(self, step: Step, *, log: Path, cause: BaseException) -> None:
        super().__init__(f"{step.title} failed: {cause}")
        self.step = step
        self.log = log
        self.cause = cause


class Listener(Protocol):
    """Who is told how the steps go; called from several threads."""

    def began(self, step: Step) -> None:
        """A step has begun."""

    def ended(self, step: Step, seconds: float) -> None:
        """A step has succeeded."""

    def failed(self, step: Step, seconds: float, cause: BaseException) -> None:
        """A step has failed or was cancelled."""


def run_steps(steps: Sequence[Step], *, logs: Path, listener: Listener) -> None:
    """Run every step as soon as those it needs are done; StepFailed at the first failure, after ending the others."""
    _check_order(steps)
    logs.mkdir(parents=True, exist_ok=True)
    waiting = list(steps)
    done: set[str] = set()
    running: dict[Future[None], Step] = {}
    cancelled = threading.Event()
    with ThreadPoolExecutor(max_workers=max(1, len(steps)), thread_name_prefix="step") as pool:
        try:
            while waiting or running:
                for step in [step for step in waiting if done.issuperset(step.after)]:
                    waiting.remove(step)
                    context = StepContext(log=_fresh_log(logs, step), cancelled=cancelled)
                    running[pool.submit(_run_one, step, context, listener)] = step
                finished, _ = wait(running, return_when=FIRST_COMPLETED)
                for future in finished:
                    future.result()
                    done.add(running.pop(future).name)
        except BaseException:
            cancelled.set()
            raise


def end_group(program: subprocess.Popen[bytes]) -> None:
    """End a program that leads a process group, with all that it started: SIGTERM, then SIGKILL."""
    for signal_number, patience_s in ((signal.SIGTERM, _GRACE_S), (signal.SIGKILL, None)):
        try:
            os.killpg(program.pid, signal_number)
            program.wait(patience_s)
        except ProcessLookupError:
            return
        except subprocess.TimeoutExpired:
            continue


def _check_order(steps: Sequence[Step]) -> None:
    known: set[str] = set()
    for step in steps:
        if missing := set(step.after) - known:
            raise ValueError(f"Step {step.name} stands before what it needs: {', '.join(sorted(missing))}")
        known.add(step.name)


def _fresh_log(logs: Path, step: Step) -> Path:
    log = logs / f"{step.name}.log"
    log.write_bytes(b"")
    return log


def _run_one(step: Step, context: StepContext, listener: Listener) -> None:
    listener.began(step)
    began = time.monotonic()
    try:
        step.run(context)
    except BaseException as cause:
        listener.failed(step, time.monotonic() - began, cause)
        raise StepFailed(step, log=context.log, cause=cause) from cause
    listener.ended(step, time.monotonic() - began)
