"""How far a sweep got that goes through a table in pages: kept between invocations, in the table `sweep_positions`."""

from dataclasses import dataclass

from gochat_repo.mysql import Transaction


@dataclass(frozen=True, kw_only=True)
class SweepPosition:
    """The last key that was done in this round, empty at the beginning, and when the round began."""

    position: bytes
    round_began_at_ms: int


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
