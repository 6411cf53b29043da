"""What a stage tells of itself."""

import subprocess
import sys
from pathlib import Path

import psutil

from local_stage.supervisor.leftovers import HOME_VARIABLE, end_leftovers
from local_stage.supervisor.state import SERVING, Fault, ProcessIdentity, StateFile, StepState, read_state


def test_what_was_written_is_read_again(tmp_path: Path) -> None:
    file = StateFile(tmp_path)
    file.set_step(StepState(name="aws", title="Starting", outcome="running"))
    file.set_step(StepState(name="aws", title="Starting", outcome="done", seconds=1.5))
    file.update(phase=SERVING, http_url="http://127.0.0.1:1", notes=("in memory",), fault=Fault(message="none"))
    assert read_state(tmp_path) == file.state
    assert [step.outcome for step in file.state.steps] == ["done"]


def test_a_missing_or_broken_file_is_no_state(tmp_path: Path) -> None:
    assert read_state(tmp_path) is None
    (tmp_path / "state.json").write_text('{"phase": ')
    assert read_state(tmp_path) is None


def test_a_process_is_told_from_a_later_one_with_the_same_id() -> None:
    me = psutil.Process()
    assert ProcessIdentity(pid=me.pid, started_at_s=me.create_time()).is_alive()
    assert not ProcessIdentity(pid=me.pid, started_at_s=me.create_time() - 60).is_alive()


def test_leftovers_are_found_by_the_home_they_inherited_and_nobody_else_is_touched(tmp_path: Path) -> None:
    def sleeper(home: Path) -> subprocess.Popen[bytes]:
        return subprocess.Popen(
            [sys.executable, "-c", "print('ready', flush=True); import time; time.sleep(600)"],
            env={HOME_VARIABLE: str(home)},
            stdout=subprocess.PIPE,
        )

    with sleeper(tmp_path / "mine") as mine, sleeper(tmp_path / "other") as other:
        try:
            for process in (mine, other):
                assert process.stdout is not None
                process.stdout.readline()
            assert end_leftovers(tmp_path / "mine")
            mine.wait(30)
            assert other.poll() is None
        finally:
            mine.kill()
            other.kill()
