"""Who of one container's threads reads what: the first who wants a key reads it, the others wait for what it finds."""

import threading
from collections.abc import Collection, Iterable, Mapping

from gochat_repo.local_cache import MISSING, LocalCache

WAIT_S = 2.0
"""Longer than a reading takes that has to wait for another container's; then a thread reads for itself."""


class Flight:
    """One thread's reading; `keys` are those it reads itself, `others` reads the rest."""

    def __init__(self) -> None:
        self.keys: list[str] = []
        self.others: dict[str, Flight] = {}
        self._found: Mapping[str, object] = {}
        self._landed = threading.Event()

    def land(self, found: Mapping[str, object]) -> None:
        """Hand over what was found; nothing, when the reading failed."""
        self._found = found
        self._landed.set()

    def wait_for(self, key: str) -> object:
        """Return what this flight found for a key; MISSING when it failed, or takes too long."""
        self._landed.wait(WAIT_S)
        return self._found.get(key, MISSING)


class Flights:
    """The flights of one container, and what they leave behind in its memory."""

    def __init__(self, local: LocalCache) -> None:
        self._local = local
        self._lock = threading.Lock()
        self._in_flight: dict[str, Flight] = {}

    def board(self, keys: Iterable[str]) -> Flight:
        """Begin a reading: keys that somebody reads already are left to them."""
        own = Flight()
        with self._lock:
            for key in keys:
                other = self._in_flight.setdefault(key, own)
                if other is own:
                    own.keys.append(key)
                else:
                    own.others[key] = other
        return own

    def land(self, flight: Flight, found: Mapping[str, object], *, keep: Collection[str], read_at_s: float) -> None:
        """End a reading; what is to be kept is remembered, unless it was invalidated meanwhile."""
        with self._lock:
            for key in flight.keys:
                if self._in_flight.get(key) is flight:
                    del self._in_flight[key]
                    if key in keep:
                        self._local.put(key, found[key], read_at_s=read_at_s)
        flight.land(found)

    def forget(self, key: str) -> None:
        """Forget a key; whoever wants it from now on does not wait for a reading that began before."""
        with self._lock:
            self._in_flight.pop(key, None)
            self._local.drop(key)

    def forget_all(self) -> None:
        """Forget every key."""
        with self._lock:
            self._in_flight.clear()
            self._local.clear()
