"""Commits offsets in a thread of its own, so that neither fetching nor delivering waits for the broker's answer."""

import threading
from collections.abc import Callable, Mapping

from confluent_kafka import KafkaException

_RETRY_S = 0.5


class Committer:
    """Commit the newest offset of each partition, in order, and again until the broker has it.

    One thread, because the commits of two might overtake each other.
    """

    def __init__(self, commit: Callable[[Mapping[int, int]], None], *, on_error: Callable[[str], None]) -> None:
        self._commit = commit
        self._on_error = on_error
        self._wanted: dict[int, int] = {}
        self._changed = threading.Condition()
        self._closing = False
        self._thread = threading.Thread(target=self._run, name="commit-offsets", daemon=True)

    def start(self) -> None:
        """Start committing."""
        self._thread.start()

    def post(self, offsets: Mapping[int, int]) -> None:
        """Have these offsets committed; they replace what was posted for their partitions before."""
        if offsets:
            with self._changed:
                self._wanted.update(offsets)
                self._changed.notify()

    def forget(self) -> None:
        """Drop what is not committed yet: the topic is gone."""
        with self._changed:
            self._wanted.clear()

    def close(self, *, timeout_s: float) -> bool:
        """Commit what is left, trying once; False if the broker did not answer in time."""
        with self._changed:
            self._closing = True
            self._changed.notify()
        self._thread.join(timeout_s)
        return not self._thread.is_alive()

    def _run(self) -> None:
        while True:
            with self._changed:
                while not self._wanted and not self._closing:
                    self._changed.wait()
                offsets, self._wanted = self._wanted, {}
            committed = not offsets or self._try(offsets)
            with self._changed:
                if self._closing and not self._wanted:
                    return
                if not committed:
                    self._wanted = offsets | self._wanted
                    if not self._closing:
                        self._changed.wait(_RETRY_S)

    def _try(self, offsets: Mapping[int, int]) -> bool:
        try:
            self._commit(offsets)
        except KafkaException as failure:
            self._on_error(f"commit: {failure}")
            return False
        return True
