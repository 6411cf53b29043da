"""How far a sweep got that goes through a table in pages: kept between invocations, in the table `sweep_positions`."""

from dataclasses import dataclass

from gochat_repo.mysql import Transaction

_END = b"\xff" * 64
"""Beyond every key."""


@dataclass(frozen=True, kw_only=True)
class SweepPosition:
    """The last key that was done in this round, empty at the beginning, and when the round began."""

    position: bytes
    round_began_at_ms: int

    @property
    def is_round_over(self) -> bool:
        """Whether all keys were done."""
        return self.position == _END

    def advanced(self, position: bytes | None) -> "SweepPosition":
        """Return the position after another page, None if it was the last one."""
        return SweepPosition(position=_END if position is None else position, round_began_at_ms=self.round_began_at_ms)


def get_position(tx: Transaction, sweep: str) -> SweepPosition | None:
    """Read how far a sweep got; None before its first round."""
    rows = tx.query("SELECT position, round_began_at_ms FROM sweep_positions WHERE sweep = %s", (sweep,))
    return SweepPosition(position=rows[0][0], round_began_at_ms=rows[0][1]) if rows else None


def save_position(tx: Transaction, sweep: str, position: SweepPosition) -> None:
    """Write how far a sweep got; of two that overlap the last one counts, so a page may be done twice."""
    tx.execute(
        "INSERT INTO sweep_positions (sweep, position, round_began_at_ms) VALUES (%s, %s, %s)"
        " ON DUPLICATE KEY UPDATE position = VALUES(position), round_began_at_ms = VALUES(round_began_at_ms)",
        (sweep, position.position, position.round_began_at_ms),
    )
