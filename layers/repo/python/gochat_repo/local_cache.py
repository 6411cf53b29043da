"""What one container remembers itself: a bounded number of values, for a few seconds."""

import time
from collections import OrderedDict
from collections.abc import Callable
from typing import Final

LOCAL_TTL_S = 5.0
"""How old a value may be that nobody asked Redis about."""

MAX_VALUES = 4096
"""About 2 MB of profiles (`./dev bench caching`)."""

MISSING: Final = object()
"""What `get` returns where nothing is remembered; None is remembered as "there is nothing"."""


class LocalCache:
    """Values by key, the least recently used one goes first. Safe for use by several threads."""

    def __init__(self, *, max_values: int = MAX_VALUES, now_s: Callable[[], float] = time.monotonic) -> None:
        self._max_values = max_values
        self._now_s = now_s
        self._values: OrderedDict[str, tuple[float, object]] = OrderedDict()

    def __len__(self) -> int:
        return len(self._values)

    def get(self, key: str) -> object:
        """Return what is remembered, or MISSING."""
        held = self._values.get(key)
        if held is None:
            return MISSING
        if held[0] <= self._now_s():
            self._values.pop(key, None)
            return MISSING
        try:
            self._values.move_to_end(key)
        except KeyError:  # another thread dropped it just now: then it may be wrong already
            return MISSING
        return held[1]

    def put(self, key: str, value: object, *, read_at_s: float) -> None:
        """Remember a value that was asked for at `read_at_s` of this cache's clock."""
        self._values[key] = (read_at_s + LOCAL_TTL_S, value)
        self._values.move_to_end(key)
        while len(self._values) > self._max_values:
            self._values.popitem(last=False)

    def drop(self, key: str) -> None:
        """Forget one value."""
        self._values.pop(key, None)

    def clear(self) -> None:
        """Forget everything."""
        self._values.clear()
