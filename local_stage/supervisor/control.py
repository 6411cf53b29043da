"""Lets a test stop, kill, freeze and restart the services of a running stage, through files in the stage's home."""

import json
import time
import uuid
from pathlib import Path
from typing import Literal

from local_stage.services.errors import ServiceError
from local_stage.services.stack import Services

Action = Literal["stop", "kill", "pause", "resume", "restart"]
ServiceName = Literal["mysql", "redis", "kafka"]

_FOLDER = "control"
_POLL_S = 0.02
_DEADLINE_S = 90.0


class ControlFailed(Exception):
    """The supervisor did not do what was asked."""


def request(home: Path, service: ServiceName, action: Action) -> None:
    """Ask the supervisor to act on a service, and wait until it has; the service keeps its port."""
    folder = home / _FOLDER
    folder.mkdir(exist_ok=True)
    name = uuid.uuid4().hex
    answer = folder / f"{name}.answer"
    _write(folder / f"{name}.request", {"service": service, "action": action})
    deadline = time.monotonic() + _DEADLINE_S
    while not answer.exists():
        if time.monotonic() > deadline:
            raise ControlFailed(f"the supervisor did not {action} {service} within {_DEADLINE_S:.0f} s")
        time.sleep(_POLL_S)
    fault = json.loads(answer.read_text())["fault"]
    answer.unlink()
    if fault:
        raise ControlFailed(fault)


def answer_requests(home: Path, services: Services) -> None:
    """Do what was asked since the last call."""
    for path in sorted((home / _FOLDER).glob("*.request")):
        asked = json.loads(path.read_text())
        path.unlink()
        fault = ""
        try:
            getattr(getattr(services, asked["service"]), asked["action"])()
        except ServiceError as error:
            fault = str(error)
        _write(path.with_suffix(".answer"), {"fault": fault})


def _write(path: Path, content: dict[str, str]) -> None:
    fresh = path.with_suffix(".new")
    fresh.write_text(json.dumps(content))
    fresh.replace(path)
