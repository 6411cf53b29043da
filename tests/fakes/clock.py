"""A clock that stands until it is told to move."""


class SettableClock:
    """Tells the time that the test set; begins at a time like now."""

    def __init__(self, now_ms: int = 1_795_413_600_000) -> None:
        self.now = now_ms

    def now_ms(self) -> int:
        """Return the time that was set."""
        return self.now

    def advance_ms(self, by_ms: int) -> None:
        """Let time pass."""
        self.now += by_ms
