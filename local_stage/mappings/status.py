"""Counts what each mapping did, and writes it to a file that `./dev status` reads."""

import json
import os
import threading
import time
from dataclasses import asdict, dataclass, field
from pathlib import Path


@dataclass(kw_only=True)
class MappingStatus:
    """Count what became of one mapping's records since its poller started.

    `delivered` and `discarded` are records, `failures` invocations that failed and counted, `refusals` attempts that
    never reached the function. `lag` is how many records of the topic are not done. `state` is `Running`, `Waiting`
    (for the topic or the broker), `Stopping` or `Invalid`; `last_error` says why.
    """

    uuid: str
    function: str
    topic: str
    group: str
    state: str = "Waiting"
    delivered: int = 0
    failures: int = 0
    refusals: int = 0
    discarded: int = 0
    invocations: int = 0
    lag: int = 0
    partitions: int = 0
    last_error: str | None = None
    last_error_at: float | None = None
    ignored_controls: list[str] = field(default_factory=list)

    def fail(self, error: str) -> None:
        """Remember the latest thing that went wrong."""
        self.last_error = error
        self.last_error_at = time.time()


class StatusFile:
    """Write all statuses as one JSON document, whole or not at all, and only when something changed."""

    def __init__(self, path: Path | None) -> None:
        self._path = path
        self._written = ""
        self._lock = threading.Lock()

    def write(self, statuses: list[MappingStatus], *, endpoint_error: str | None) -> None:
        """Replace the file: `{"pid", "endpoint_error", "mappings": [MappingStatus, …]}`."""
        if self._path is None:
            return
        content = {
            "pid": os.getpid(),
            "endpoint_error": endpoint_error,
            "mappings": [asdict(status) for status in sorted(statuses, key=lambda status: status.uuid)],
        }
        text = json.dumps(content, indent=1)
        with self._lock:
            if text == self._written:
                return
            aside = self._path.with_name(self._path.name + ".new")
            aside.write_text(text)
            aside.replace(self._path)
            self._written = text
