"""Counts what a soak did, in a size that does not grow with it."""

import math
from collections import Counter
from dataclasses import dataclass, field

STEP = 1.04
"""From one bucket of a latency to the next: a figure is exact to 4 %."""


@dataclass
class Latencies:
    """A distribution of milliseconds in buckets."""

    buckets: Counter[int] = field(default_factory=Counter)
    count: int = 0
    largest_ms: float = 0.0

    def note(self, ms: float) -> None:
        """Add one."""
        self.buckets[round(math.log(max(ms, 0.1), STEP))] += 1
        self.count += 1
        self.largest_ms = max(self.largest_ms, ms)

    def quantile(self, part: float) -> float:
        """Return the latency below which this part of them lies."""
        left = self.count * part
        for bucket in sorted(self.buckets):
            left -= self.buckets[bucket]
            if left <= 0:
                return min(float(STEP**bucket), self.largest_ms)
        return 0.0

    def __str__(self) -> str:
        return (
            f"p50 {self.quantile(0.5):.0f} ms, p99 {self.quantile(0.99):.0f} ms, max {self.largest_ms:.0f} ms"
            f" ({self.count:,})"
        )


@dataclass
class Tally:
    """Everything that is reported in the end. `problems` are broken promises by kind, `examples` the first of them."""

    steps: Counter[str] = field(default_factory=Counter)
    retried: Counter[str] = field(default_factory=Counter)
    faults: Counter[str] = field(default_factory=Counter)
    problems: Counter[str] = field(default_factory=Counter)
    examples: list[str] = field(default_factory=list)
    messages: Counter[str] = field(default_factory=Counter)
    audited: Counter[str] = field(default_factory=Counter)
    acks: Latencies = field(default_factory=Latencies)
    arrivals: Latencies = field(default_factory=Latencies)

    def problem(self, kind: str, what: str) -> None:
        """Note that a promise is broken."""
        self.problems[kind] += 1
        if len(self.examples) < 20:
            self.examples.append(f"{kind}: {what}")

    def line(self) -> str:
        """Return how it goes, in one line."""
        told = self.messages
        return (
            f"{self.steps.total():,} steps, {told['accepted']:,} messages accepted, {told['stored']:,} checked,"
            f" {self.faults.total()} faults, {self.problems.total()} problems; ack {self.acks.quantile(0.5):.0f} ms,"
            f" arrival {self.arrivals.quantile(0.5):.0f} ms"
        )

    def report(self, *, seconds: float) -> str:
        """Return the whole account."""
        told, zero = self.messages, ("lost", "doubled", "misnumbered", "drifted", "unseen", "audit", "other")
        rows = [
            ("time", f"{seconds / 60:.1f} min, {self.steps.total() / seconds:.0f} steps/s"),
            ("steps", ", ".join(f"{name} {count:,}" for name, count in self.steps.most_common())),
            ("faults", ", ".join(f"{name} {count}" for name, count in self.faults.most_common()) or "none"),
            ("tried again", ", ".join(f"{name} {count:,}" for name, count in self.retried.most_common()) or "nothing"),
            ("sent", f"{told['sent']:,} messages, {told['resent']:,} of them more than once"),
            ("accepted", f"{told['accepted']:,}"),
            ("stored", f"{told['stored']:,}"),
            ("seen live", f"{told['live']:,} of {told['due']:,} (message, receiving device)"),
            (
                "seen after sync",
                f"{told['synced']:,} of {told['due'] - told['older']:,}; {told['older']:,} are older than the latest"
                " that a device was shown when it knew nothing",
            ),
            ("changes", f"{told['changes']:,} checked"),
            (
                "loss audit",
                f"{self.audited['messages']:,} messages, {self.audited['conversations']:,} looks at conversations,"
                f" {self.audited['findings']:,} findings",
            ),
            ("ack", str(self.acks)),
            ("arrival", str(self.arrivals)),
            *((name, f"{self.problems[name]:,}") for name in zero),
        ]
        lines = [f"  {name:<16} {text}" for name, text in rows]
        return "\n".join([*lines, *(f"  ! {one}" for one in self.examples)])
