"""Discovers instances through a cache: a look-up for almost every call, Cloud Map once in some seconds."""

import random
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Protocol

from aws_lambda_powertools import Logger

from gochat_aws.json_api import RefusedError
from gochat_aws.registry.cloud_map import Found
from gochat_aws.registry.instances import Instance
from gochat_core.errors import Unavailable

REVISION_AFTER_S = 3.0
"""How long the cache is believed without asking for the revision, which moves when instances come or go."""

REFRESH_AFTER_S = 10.0
"""How long it is believed with the same revision: health changes without moving that (Cloud Map API)."""

KEPT_FOR_S = 600.0
"""How long last known good is served while Cloud Map answers nothing: then the caller's own fallback knows better."""

FIRST_PAUSE_S = 2.0
LONGEST_PAUSE_S = 60.0
"""Pauses after failures, doubling: a caller waits for Cloud Map's time-out once in a pause and not for each call."""


class Directory(Protocol):
    """Where instances are found: Cloud Map."""

    def discover(self, service: str) -> Found:
        """Find all instances of a service. Raises `Unavailable` or RefusedError."""
        ...

    def revision(self, service: str) -> int | None:
        """Ask whether instances came or went. Raises `Unavailable` or RefusedError."""
        ...


@dataclass(kw_only=True, slots=True)
class _Entry:
    """What is known of one service."""

    instances: tuple[Instance, ...] = ()
    revision: int | None = None
    known_at_s: float | None = None
    """When Cloud Map last told."""
    due_at_s: float = 0.0
    """When to ask again."""
    asked_at_s: float = 0.0
    pause_s: float = 0.0
    flight: threading.Lock = field(default_factory=threading.Lock)


class Discovery:
    """Who serves, as this container knows it. Safe for use by several threads: one asks, the others take what is known.

    Never raises: without an answer it serves last known good for `KEPT_FOR_S`, then nobody. An answer without any
    instance counts as none while instances are known, for the stack's are always there.
    """

    def __init__(
        self,
        directory: Directory,
        *,
        logger: Logger,
        now_s: Callable[[], float] = time.monotonic,
        jitter: Callable[[], float] = random.random,
    ) -> None:
        self._directory = directory
        self._logger = logger
        self._now_s = now_s
        self._jitter = jitter
        self._entries: dict[str, _Entry] = {}

    def instances(self, service: str) -> tuple[Instance, ...]:
        """Return the instances of a service, ill and draining ones too; one dictionary look-up while it is fresh."""
        entry = self._entries.get(service)
        if entry is None:
            entry = self._entries.setdefault(service, _Entry())
        now_s = self._now_s()
        # A clock that jumped back would keep an entry fresh for as long: then it is due at once.
        if entry.asked_at_s <= now_s < entry.due_at_s:
            return entry.instances
        if not entry.flight.acquire(blocking=entry.known_at_s is None):
            return entry.instances
        try:
            if not entry.asked_at_s <= (now_s := self._now_s()) < entry.due_at_s:
                self._refresh(service, entry, now_s)
        finally:
            entry.flight.release()
        return entry.instances

    def invalidate(self, service: str) -> None:
        """Ask Cloud Map at the next call: for whoever hears that something changed."""
        entry = self._entries.get(service)
        if entry is not None:
            entry.revision, entry.due_at_s = None, float("-inf")

    def _refresh(self, service: str, entry: _Entry, now_s: float) -> None:
        entry.asked_at_s = now_s
        try:
            if self._is_unchanged(service, entry, now_s):
                entry.due_at_s = now_s + REVISION_AFTER_S
                return
            found = self._directory.discover(service)
        except (Unavailable, RefusedError) as fault:
            self._put_off(service, entry, now_s, repr(fault.__cause__ or fault))
            return
        if found.malformed:
            self._logger.warning("malformed instances", extra={"registry": service, "instances": found.malformed})
        if not found.instances and entry.instances:
            self._put_off(service, entry, now_s, "no instance is registered")
            return
        entry.instances, entry.revision = found.instances, found.revision
        entry.known_at_s, entry.pause_s = now_s, 0.0
        entry.due_at_s = now_s + REVISION_AFTER_S

    def _is_unchanged(self, service: str, entry: _Entry, now_s: float) -> bool:
        if entry.revision is None or entry.known_at_s is None or entry.pause_s:
            return False
        if not 0 <= now_s - entry.known_at_s < REFRESH_AFTER_S:
            return False
        return self._directory.revision(service) == entry.revision

    def _put_off(self, service: str, entry: _Entry, now_s: float, cause: str) -> None:
        """Go on with last known good, and ask again after a pause."""
        entry.pause_s = min(max(FIRST_PAUSE_S, entry.pause_s * 2), LONGEST_PAUSE_S)
        # Containers that failed together must not come back together.
        entry.due_at_s = now_s + entry.pause_s * (0.5 + self._jitter() / 2)
        if entry.known_at_s is not None and now_s < entry.known_at_s:
            entry.known_at_s = now_s
        if entry.known_at_s is not None and now_s - entry.known_at_s >= KEPT_FOR_S:
            entry.instances, entry.revision, entry.known_at_s = (), None, None
        self._logger.warning(
            "registry not reached",
            extra={"registry": service, "cause": cause, "serving": len(entry.instances), "again_in_s": entry.pause_s},
        )
