"""One line of a bill."""

from dataclasses import dataclass

from dev_cli.cost.prices import Price

HOURS = 730.0
"""Of a month, as AWS counts."""

DAYS = HOURS / 24


@dataclass(frozen=True, kw_only=True)
class Line:
    """A quantity at a price; `key` is what `dev_cli/cost/resources.py` calls it by."""

    key: str
    title: str
    quantity: float
    price: Price

    @property
    def usd(self) -> float:
        """What it comes to."""
        return self.quantity * self.price.usd


def total(lines: list[Line]) -> float:
    """Add lines up."""
    return sum(line.usd for line in lines)
