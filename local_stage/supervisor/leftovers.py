"""Finds and ends what a stage left running, also after a crash of its supervisor."""

import contextlib
import os
from collections.abc import Iterator
from pathlib import Path

import psutil

# Every process of a stage inherits this variable: it names the stage's home.
HOME_VARIABLE = "GOCHAT_STAGE_HOME"
_PATIENCE_S = 5.0


def end_leftovers(home: Path) -> list[str]:
    """End every process that belongs to the stage in this home, but not this one; give their names."""
    found = list(processes_of(home))
    for process in found:
        with contextlib.suppress(psutil.NoSuchProcess):
            process.terminate()
    _, stubborn = psutil.wait_procs(found, timeout=_PATIENCE_S)
    for process in stubborn:
        with contextlib.suppress(psutil.NoSuchProcess):
            process.kill()
    psutil.wait_procs(stubborn, timeout=_PATIENCE_S)
    return [str(process.info["name"]) for process in found]


def processes_of(home: Path) -> Iterator[psutil.Process]:
    """Yield the processes of a stage: by the variable that they inherited, or because they work inside its home.

    Needs no record of ours, so it also finds what was started in the moment before a crash; a reused process id
    cannot deceive it.
    """
    for process in psutil.process_iter(["name"]):
        if process.pid == os.getpid():
            continue
        # Other users' processes may not be looked into; they are not ours to end either.
        with contextlib.suppress(psutil.NoSuchProcess, psutil.AccessDenied):
            if process.status() != psutil.STATUS_ZOMBIE and _belongs(process, home):
                yield process


def _belongs(process: psutil.Process, home: Path) -> bool:
    if process.environ().get(HOME_VARIABLE) == str(home):
        return True
    return Path(process.cwd()).is_relative_to(home / "run")
