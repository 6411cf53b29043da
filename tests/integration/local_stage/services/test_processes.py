import json
import os
import signal
import subprocess
import sys
import textwrap
import time
from collections.abc import Callable
from pathlib import Path

import psutil
import pytest

from local_stage.services import DidNotStart, stop_leftovers
from local_stage.services.process import RECORD_NAME, ServerProcess

ROOT = Path(__file__).parents[4]
SLEEPER = [sys.executable, "-c", "import time; print('started', flush=True); time.sleep(600)"]
STUBBORN = [
    sys.executable,
    "-c",
    "import signal, time; signal.signal(signal.SIGTERM, signal.SIG_IGN); print('started', flush=True); time.sleep(600)",
]


def eventually(condition: Callable[[], bool], *, timeout_s: float = 20.0) -> None:
    deadline = time.monotonic() + timeout_s
    while not condition():
        assert time.monotonic() < deadline, "not in time"
        time.sleep(0.01)


def started(process: ServerProcess) -> ServerProcess:
    process.start()
    process.wait_until(lambda: "started" in process.log_tail(), timeout_s=20)
    return process


def runs(pid: int) -> bool:
    return psutil.pid_exists(pid) and psutil.Process(pid).status() != psutil.STATUS_ZOMBIE


def test_a_server_that_dies_at_start_is_reported_with_the_end_of_its_log(tmp_path: Path) -> None:
    process = ServerProcess("Nobody", [sys.executable, "-c", "raise SystemExit('no luck')"], tmp_path)
    process.start()
    with pytest.raises(DidNotStart, match="no luck"):
        process.wait_until(lambda: False, timeout_s=20)


def test_a_server_that_never_answers_is_ended_and_reported(tmp_path: Path) -> None:
    process = started(ServerProcess("Mute", SLEEPER, tmp_path))
    pid = process.pid
    assert pid is not None
    with pytest.raises(DidNotStart, match="not ready after"):
        process.wait_until(lambda: False, timeout_s=0.1)
    assert not runs(pid)


def test_a_server_that_ignores_sigterm_is_killed(tmp_path: Path) -> None:
    process = started(ServerProcess("Stubborn", STUBBORN, tmp_path, stop_timeout_s=0.2))
    pid = process.pid
    assert pid is not None
    process.stop()
    assert not runs(pid)
    assert not (tmp_path / RECORD_NAME).exists()


def test_a_frozen_server_can_be_stopped(tmp_path: Path) -> None:
    process = started(ServerProcess("Frozen", SLEEPER, tmp_path))
    process.pause()
    process.stop()
    assert process.pid is None


def test_a_restart_appends_to_the_log(tmp_path: Path) -> None:
    process = started(ServerProcess("Twice", SLEEPER, tmp_path))
    process.stop()
    process.start()
    process.wait_until(lambda: process.log_path.read_text().count("started") == 2, timeout_s=20)
    process.kill()


def parent_of_a_server(directory: Path, argv: list[str]) -> subprocess.Popen[bytes]:
    """Run a Python process that starts a server and then waits."""
    code = f"""
        import pathlib, threading
        from local_stage.services.process import ServerProcess
        ServerProcess("Orphan", {argv!r}, pathlib.Path({str(directory)!r})).start()
        threading.Event().wait()
    """
    return subprocess.Popen(
        [sys.executable, "-c", textwrap.dedent(code)], cwd=ROOT, env={**os.environ, "PYTHONPATH": str(ROOT)}
    )


def recorded_pid(directory: Path) -> int:
    record = directory / RECORD_NAME
    eventually(lambda: record.exists() and "started" in (directory / "server.log").read_text())
    return int(json.loads(record.read_text())["pid"])


def test_leftovers_of_a_crashed_parent_are_stopped_by_their_record(tmp_path: Path) -> None:
    parent = parent_of_a_server(tmp_path / "service", STUBBORN)
    pid = recorded_pid(tmp_path / "service")
    parent.kill()
    parent.wait()
    assert runs(pid), "this server ignores the end of its parent"
    assert stop_leftovers(tmp_path, timeout_s=0.2) == ["Orphan"]
    eventually(lambda: not runs(pid))
    assert stop_leftovers(tmp_path) == []


def test_a_record_of_a_process_that_is_another_one_now_harms_nobody(tmp_path: Path) -> None:
    other = subprocess.Popen(SLEEPER, stdout=subprocess.DEVNULL)
    try:
        (tmp_path / RECORD_NAME).write_text(json.dumps({"name": "Old", "pid": other.pid, "started_at_s": 1.0}))
        assert stop_leftovers(tmp_path) == []
        assert other.poll() is None
        assert not (tmp_path / RECORD_NAME).exists()
    finally:
        other.kill()
        other.wait()


@pytest.mark.parametrize("record", ["", "{}", '{"pid": "x"}', '{"name": "Gone", "pid": 4194303, "started_at_s": 1}'])
def test_a_record_that_says_nothing_useful_is_removed(tmp_path: Path, record: str) -> None:
    (tmp_path / RECORD_NAME).write_text(record)
    assert stop_leftovers(tmp_path) == []
    assert not (tmp_path / RECORD_NAME).exists()


if sys.platform == "linux":

    def test_a_server_ends_with_a_parent_that_is_killed(tmp_path: Path) -> None:
        parent = parent_of_a_server(tmp_path, SLEEPER)
        pid = recorded_pid(tmp_path)
        parent.send_signal(signal.SIGKILL)
        parent.wait()
        eventually(lambda: not runs(pid))
