"""The clock as a port: code asks it for the time, tests set it; and the one text form of a time."""

import time
from datetime import UTC, datetime
from typing import Protocol


class Clock(Protocol):
    """Tells the time."""

    def now_ms(self) -> int:
        """Return milliseconds since 1970 in UTC."""
        ...


class SystemClock:
    """The machine's own clock."""

    def now_ms(self) -> int:
        """Return milliseconds since 1970 in UTC; may jump when the machine's clock is set."""
        return time.time_ns() // 1_000_000


def rfc3339(at_ms: int) -> str:
    """Write a time as clients see it: RFC 3339, UTC, milliseconds, `Z`."""
    return datetime.fromtimestamp(at_ms / 1000, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
