"""A local stage from up to down, and out of every accident between."""

import json
import os
import shutil
import signal
import subprocess
import sys
import time
import urllib.request
from collections.abc import Callable, Iterator
from pathlib import Path

import psutil
import pytest

from dev_cli.paths import ROOT, STATE
from local_stage.supervisor.leftovers import processes_of

DEADLINE_S = 60.0


@pytest.fixture
def home() -> Iterator[Path]:
    """Give a home for one stage; short, as Unix sockets want it, and gone after the test."""
    home = STATE / "test-stages" / f"life-{os.getpid()}"
    yield home
    dev(home, "down")
    shutil.rmtree(home, ignore_errors=True)


def environment(home: Path) -> dict[str, str]:
    return {**os.environ, "GOCHAT_HOME": str(home)}


def dev(home: Path, *words: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "dev_cli", *words]
    return subprocess.run(command, cwd=ROOT, env=environment(home), capture_output=True, text=True, check=False)


def wait_until(is_so: Callable[[], bool], what: str) -> None:
    deadline = time.monotonic() + DEADLINE_S
    while not is_so():
        assert time.monotonic() < deadline, f"waited in vain until {what}"
        time.sleep(0.05)


def runs(pid: int) -> bool:
    try:
        return psutil.Process(pid).status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False


def nothing_is_left(home: Path) -> bool:
    return not list(processes_of(home))


@pytest.mark.timeout(400)
def test_a_stage_serves_survives_a_second_up_and_leaves_nothing_behind_after_its_supervisor_was_killed(
    home: Path,
) -> None:
    started = dev(home, "up", "--detach")
    assert started.returncode == 0, started.stderr
    status = json.loads(dev(home, "status", "--json").stdout)
    assert set(status["services"]) == {"mysql", "redis", "kafka"}
    assert set(status["health"].values()) == {"ok"}
    with urllib.request.urlopen(f"{status['http_url']}/api/v1/health") as answer:
        assert json.load(answer)["status"] == "ok"

    again = dev(home, "up", "--detach")
    assert (again.returncode, "is up already" in again.stdout) == (0, True)
    assert json.loads(dev(home, "status", "--json").stdout)["pids"] == status["pids"]

    os.kill(status["pids"]["supervisor"], signal.SIGKILL)
    assert dev(home, "down").returncode == 0
    assert nothing_is_left(home)
    wait_until(lambda: not any(runs(pid) for pid in status["pids"].values()), "the dying have died")
    assert not (home / "run").exists()
    assert dev(home, "status").returncode == 3


def test_ctrl_c_while_the_stage_starts_stops_what_was_started(home: Path) -> None:
    with subprocess.Popen(
        [sys.executable, "-m", "dev_cli", "up"], cwd=ROOT, env=environment(home), start_new_session=True
    ) as up:
        try:
            wait_until((home / "run" / "services" / "mysql").exists, "MySQL is being started")
            up.send_signal(signal.SIGINT)
            assert up.wait(DEADLINE_S) == 0
        finally:
            up.kill()
    wait_until(lambda: nothing_is_left(home), "everything has ended")
    assert not (home / "run").exists()


def test_a_failed_start_says_which_step_failed_and_what_to_do_and_leaves_nothing_running(home: Path) -> None:
    failed = dev(home, "up", "--detach", "--mysql", "127.0.0.1:1")
    assert failed.returncode == 1
    assert "Starting MySQL, Redis and Kafka failed: No MySQL at 127.0.0.1:1" in failed.stderr
    assert "leave --mysql away" in failed.stderr
    assert nothing_is_left(home)
