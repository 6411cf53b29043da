"""Invalidations that Redis did not take because it was away: they go with the first pipeline that it answers."""

import threading
from collections.abc import Callable, Mapping, Sequence
from functools import partial

from gochat_repo.cache import Command, Reply

MAX_OWED = 1000
"""What is too much is let go, the oldest first: values live VALUE_TTL_S at most in any case."""


class OwedInvalidations:
    """The debts of one container. Safe for use by several threads."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._owed: dict[str, Sequence[Command]] = {}

    def add(self, commands: Mapping[str, Sequence[Command]]) -> None:
        """Take note of what Redis was to be told, by the key of the value."""
        with self._lock:
            self._owed |= commands
            for key in list(self._owed)[:-MAX_OWED]:
                del self._owed[key]

    def board(self) -> tuple[list[Command], Callable[[Sequence[Reply]], None]]:
        """Return the commands that ride in a pipeline, and what takes their replies."""
        if not self._owed:
            return [], _hear_nothing
        with self._lock:
            riding = dict(self._owed)
        return [one for commands in riding.values() for one in commands], partial(self._hear, riding)

    def _hear(self, riding: Mapping[str, Sequence[Command]], replies: Sequence[Reply]) -> None:
        if None in replies:
            return
        with self._lock:
            for key, commands in riding.items():
                if self._owed.get(key) is commands:
                    del self._owed[key]


def _hear_nothing(replies: Sequence[Reply]) -> None:
    """Take no replies."""
