"""Runs one server as a child that never outlives its parent, with its log and its pid in files."""

import contextlib
import json
import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import psutil

from local_stage.services.errors import DidNotStart

RECORD_NAME = "process.json"
LOG_NAME = "server.log"
_STOP_TIMEOUT_S = 15.0
_POLL_S = 0.005

# Linux ends a child when the *thread* that forked it ends (prctl(2), PR_SET_PDEATHSIG), so every server is forked by
# this one thread, which lives as long as the process.
_SPAWNER = ThreadPoolExecutor(max_workers=1, thread_name_prefix="spawn-services")


class ServerProcess:
    """Run a server in a directory of its own: `server.log` and `process.json` appear there.

    The server gets a process group of its own, so that Ctrl-C in a terminal reaches the parent alone, which then
    stops its servers in order.
    """

    def __init__(
        self,
        name: str,
        argv: Sequence[str],
        directory: Path,
        *,
        environment: Mapping[str, str] | None = None,
        stop_timeout_s: float = _STOP_TIMEOUT_S,
    ) -> None:
        self.name = name
        self._stop_timeout_s = stop_timeout_s
        self.directory = directory
        self._argv = list(argv)
        self._environment = environment
        self._child: subprocess.Popen[bytes] | None = None

    @property
    def log_path(self) -> Path:
        """Where the server's output goes; restarts append to it."""
        return self.directory / LOG_NAME

    @property
    def pid(self) -> int | None:
        """The server's process id, or None while it does not run."""
        if self._child is None or self._child.poll() is not None:
            return None
        return self._child.pid

    def start(self) -> None:
        """Start the server, without waiting for it to be ready."""
        self.directory.mkdir(parents=True, exist_ok=True)
        self._child = _SPAWNER.submit(self._spawn).result()
        _write_record(self.directory / RECORD_NAME, self.name, self._child.pid)

    def wait_until(self, is_ready: Callable[[], bool], *, timeout_s: float) -> None:
        """Wait until `is_ready` says so; DidNotStart, with the log's end, if the server dies or time runs out."""
        deadline = time.monotonic() + timeout_s
        while True:
            ready = is_ready()
            if self.pid is None:
                raise DidNotStart(f"{self.name} stopped before it was ready. Its log ends with:\n{self.log_tail()}")
            if ready:
                return
            if time.monotonic() > deadline:
                self.kill()
                raise DidNotStart(
                    f"{self.name} was not ready after {timeout_s:.0f} s. Its log, {self.log_path}, ends with:\n"
                    f"{self.log_tail()}"
                )
            time.sleep(_POLL_S)

    def stop(self) -> None:
        """Ask the server to end (SIGTERM) and wait; kill it if it does not. Does nothing if it does not run."""
        if self._child is not None and self._child.poll() is None:
            self._child.send_signal(signal.SIGCONT)  # a frozen server would not hear the next one
            self._child.terminate()
            try:
                self._child.wait(self._stop_timeout_s)
            except subprocess.TimeoutExpired:
                self.kill()
        self._forget()

    def kill(self) -> None:
        """End the server and all that it started at once (SIGKILL), as a crash would."""
        if self._child is not None and self._child.poll() is None:
            with contextlib.suppress(ProcessLookupError, PermissionError):
                os.killpg(self._child.pid, signal.SIGKILL)
            self._child.wait()
        self._forget()

    def pause(self) -> None:
        """Freeze the server (SIGSTOP): connections stay open and nothing answers, as when a machine hangs."""
        if self._child is not None:
            self._child.send_signal(signal.SIGSTOP)

    def resume(self) -> None:
        """Let a frozen server go on."""
        if self._child is not None:
            self._child.send_signal(signal.SIGCONT)

    def log_tail(self, lines: int = 15) -> str:
        """Return the last lines of the server's log."""
        try:
            return "\n".join(self.log_path.read_text(errors="replace").splitlines()[-lines:])
        except FileNotFoundError:
            return "(no log)"

    def _spawn(self) -> subprocess.Popen[bytes]:
        with self.log_path.open("ab") as log:
            return subprocess.Popen(
                [*_end_with_parent(), *self._argv],
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                cwd=self.directory,
                env=None if self._environment is None else dict(self._environment),
                start_new_session=True,
            )

    def _forget(self) -> None:
        (self.directory / RECORD_NAME).unlink(missing_ok=True)


def stop_leftovers(state_dir: Path, *, timeout_s: float = _STOP_TIMEOUT_S) -> list[str]:
    """End the servers that a crashed parent left under a state directory; return their names.

    Safe against reused pids: a record names the process by its id and its start time.
    """
    stopped = []
    for record_path in sorted(state_dir.rglob(RECORD_NAME)):
        try:
            record = json.loads(record_path.read_text())
            process = psutil.Process(record["pid"])
            ours = abs(process.create_time() - record["started_at_s"]) < 1 and process.status() != psutil.STATUS_ZOMBIE
        except (psutil.NoSuchProcess, ValueError, KeyError, TypeError, FileNotFoundError):
            ours = False
        if ours:
            _end_group(process, timeout_s)
            stopped.append(str(record["name"]))
        record_path.unlink(missing_ok=True)
    return stopped


def _end_group(process: psutil.Process, timeout_s: float) -> None:
    try:
        process.resume()
        process.terminate()
        process.wait(timeout_s)
    except psutil.NoSuchProcess:
        return
    except psutil.TimeoutExpired:
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.killpg(process.pid, signal.SIGKILL)


def _write_record(path: Path, name: str, pid: int) -> None:
    try:
        started_at_s = psutil.Process(pid).create_time()
    except psutil.NoSuchProcess:
        return
    path.write_text(json.dumps({"name": name, "pid": pid, "started_at_s": started_at_s}))


def _end_with_parent() -> list[str]:
    """Return the words before a command that make Linux end it with its parent; elsewhere `stop_leftovers` cleans up.

    `setpriv` (util-linux) rather than a `preexec_fn`, which Python warns against in a process with threads.
    """
    setpriv = shutil.which("setpriv") if sys.platform == "linux" else None
    return [setpriv, "--pdeathsig", "TERM", "--"] if setpriv else []
