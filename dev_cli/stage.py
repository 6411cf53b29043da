"""Finds the local stage of this checkout, and starts and stops its supervisor."""

import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import psutil

from dev_cli.failure import Failure
from dev_cli.paths import ROOT, STAGE_VENV, stage_home
from dev_cli.setup.cdk import cdk_command, cdk_environment
from local_stage.supervisor.leftovers import HOME_VARIABLE, end_leftovers
from local_stage.supervisor.options import Options
from local_stage.supervisor.state import FAILED, SERVING, StageState, read_state, remove_state

_STATE_TIMEOUT_S = 20.0
_STOP_TIMEOUT_S = 60.0
_POLL_S = 0.05


def find_stage() -> StageState | None:
    """Give the stage if its supervisor runs, in whatever phase it is; None otherwise."""
    state = read_state(stage_home())
    return state if state is not None and state.supervisor.is_alive() else None


def serving_stage() -> StageState:
    """Give the stage if it serves; Failure if it does not."""
    state = find_stage()
    if state is None or state.phase != SERVING:
        raise Failure("no local stage is serving.", advice="Start one: ./dev up --detach")
    return state


def stage_options(*, kafka: str, mysql: str, redis: str, http_port: int, attached: bool, gateways: int = 1) -> Options:
    """Fill in where the parts of this checkout lie."""
    return Options(
        home=stage_home(),
        root=ROOT,
        stage_python=STAGE_VENV / "bin" / "python",
        cdk=tuple(cdk_command()),
        kafka=kafka,
        mysql=mysql,
        redis=redis,
        http_port=http_port,
        attached=attached,
        gateways=gateways,
    )


def start_supervisor(options: Options) -> subprocess.Popen[bytes]:
    """Start the supervisor in a session of its own: it outlives this command and its terminal."""
    options.logs.mkdir(parents=True, exist_ok=True)
    remove_state(options.home)
    with (options.logs / "supervisor.log").open("wb") as log:
        return subprocess.Popen(
            [sys.executable, "-m", "local_stage.supervisor", *options.words()],
            cwd=ROOT,
            env={**cdk_environment(), HOME_VARIABLE: str(options.home)},
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )


def follow_start(
    supervisor: subprocess.Popen[bytes], options: Options, on_change: Callable[[StageState], None]
) -> StageState:
    """Wait until the stage serves, telling of every change; Failure with what went wrong if it does not."""
    deadline = time.monotonic() + _STATE_TIMEOUT_S
    seen: StageState | None = None
    while True:
        gone = supervisor.poll() is not None
        state = read_state(options.home)
        if state is not None and state != seen:
            seen = state
            on_change(state)
        if state is not None and state.phase == SERVING:
            return state
        if state is not None and state.phase == FAILED:
            raise failure_of(state)
        if gone or (state is None and time.monotonic() > deadline):
            raise Failure("the stage's supervisor ended.", log=options.logs / "supervisor.log")
        time.sleep(_POLL_S)


def failure_of(state: StageState) -> Failure:
    """Turn what a failed stage says of itself into what the user is told."""
    if state.fault is None:
        return Failure("the stage failed.", log=stage_home() / "logs" / "supervisor.log")
    log = Path(state.fault.log) if state.fault.log else None
    return Failure(state.fault.message, advice=state.fault.advice, log=log)


def stop_stage() -> bool:
    """Stop the stage and whatever a crash left of one; give whether there was anything to stop."""
    home = stage_home()
    state = read_state(home)
    found = False
    if state is not None and state.supervisor.is_alive():
        found = True
        _end(state.supervisor.pid)
    found = bool(end_leftovers(home)) or found
    remove_state(home)
    _remove_run(home)
    return found


def _end(pid: int) -> None:
    try:
        process = psutil.Process(pid)
        os.kill(pid, signal.SIGTERM)
        process.wait(_STOP_TIMEOUT_S)
    except (psutil.NoSuchProcess, ProcessLookupError):
        return
    except psutil.TimeoutExpired:
        process.kill()


def _remove_run(home: Path) -> None:
    for folder in ("run", "control"):
        shutil.rmtree(home / folder, ignore_errors=True)
