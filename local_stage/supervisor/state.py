"""The file that tells every command how a stage is: what runs, where it serves, what went wrong."""

import contextlib
import json
import threading
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Any

import psutil

STATE_NAME = "state.json"

STARTING = "starting"
SERVING = "serving"
STOPPING = "stopping"
FAILED = "failed"


@dataclass(frozen=True, kw_only=True)
class ProcessIdentity:
    """A process as it can be told from a later one with the same id: by its start time too."""

    pid: int
    started_at_s: float

    def is_alive(self) -> bool:
        """Tell whether this very process still runs."""
        try:
            process = psutil.Process(self.pid)
            same = abs(process.create_time() - self.started_at_s) < 1
            return same and process.status() != psutil.STATUS_ZOMBIE
        except psutil.NoSuchProcess:
            return False


@dataclass(frozen=True, kw_only=True)
class StepState:
    """How one step of the start went; `outcome` is running, done, failed or cancelled."""

    name: str
    title: str
    outcome: str
    seconds: float = 0.0


@dataclass(frozen=True, kw_only=True)
class Fault:
    """Why a stage failed: what to tell the user, where to read on, what to do."""

    message: str
    log: str = ""
    advice: str = ""


@dataclass(frozen=True, kw_only=True)
class StageState:
    """All that is known of one stage."""

    phase: str
    supervisor: ProcessIdentity
    http_url: str | None = None
    websocket_url: str | None = None
    gateways: dict[str, str] = field(default_factory=dict)
    """Where each cell's WebSockets are opened, by the cell's id."""
    web_url: str | None = None
    aws_url: str | None = None
    services: dict[str, str] = field(default_factory=dict)
    pids: dict[str, int] = field(default_factory=dict)
    steps: tuple[StepState, ...] = ()
    fault: Fault | None = None
    notes: tuple[str, ...] = ()


class StateFile:
    """Keep the state of the stage that this process supervises; every change is on disk when the call returns."""

    def __init__(self, home: Path) -> None:
        self._path = home / STATE_NAME
        self._lock = threading.Lock()
        process = psutil.Process()
        identity = ProcessIdentity(pid=process.pid, started_at_s=process.create_time())
        self._state = StageState(phase=STARTING, supervisor=identity)
        self._write()

    @property
    def state(self) -> StageState:
        """The state as last written."""
        return self._state

    def update(self, **changes: Any) -> None:
        """Change fields of the state."""
        with self._lock:
            self._state = replace(self._state, **changes)
            self._write()

    def set_step(self, step: StepState) -> None:
        """Add a step's state, or replace what was said of it."""
        with self._lock:
            others = tuple(known for known in self._state.steps if known.name != step.name)
            self._state = replace(self._state, steps=(*others, step))
            self._write()

    def _write(self) -> None:
        # A reader sees the old file or the new one, never half of one.
        fresh = self._path.with_name(f"{STATE_NAME}.new")
        fresh.write_text(json.dumps(asdict(self._state), indent=2))
        fresh.replace(self._path)


def read_state(home: Path) -> StageState | None:
    """Give the state of the stage in this home, or None if there is none (or one that a crash cut short)."""
    with contextlib.suppress(FileNotFoundError, ValueError, KeyError, TypeError):
        raw = json.loads((home / STATE_NAME).read_text())
        raw["supervisor"] = ProcessIdentity(**raw["supervisor"])
        raw["steps"] = tuple(StepState(**step) for step in raw["steps"])
        raw["fault"] = Fault(**raw["fault"]) if raw["fault"] else None
        raw["notes"] = tuple(raw["notes"])
        return StageState(**raw)
    return None


def remove_state(home: Path) -> None:
    """Forget the stage of this home."""
    (home / STATE_NAME).unlink(missing_ok=True)
