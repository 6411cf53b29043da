"""What all kinds of tasks share: a task with the record that brought it, and what became of a batch."""

from collections import Counter
from dataclasses import dataclass, field
from typing import Generic, TypeVar

from gochat_aws.kafka_event import IncomingRecord
from gochat_contracts.records import FanOutPage, FanOutTask, OfflineTask, TaskRecord
from gochat_core.errors import Unavailable

TaskT = TypeVar("TaskT", OfflineTask, FanOutTask, FanOutPage)


@dataclass(frozen=True, kw_only=True, slots=True)
class Work(Generic[TaskT]):
    """One task; `place` is that of its record in the batch."""

    place: int
    source: IncomingRecord
    record: TaskRecord
    task: TaskT


@dataclass(kw_only=True, slots=True)
class TaskVerdicts:
    """What became of a batch of tasks; the records at the places in `failed` must come again.

    `redelivered`, `offline`, `pushes` and `decisions` are of offline tasks; `pages` were cut, `told` are members on
    whose cells a page was told, `away` those whom it found without a connection, `passed_over` pages that were done.
    """

    failed: set[int] = field(default_factory=set)
    redelivered: int = 0
    offline: int = 0
    dead_letters: int = 0
    pushes: int = 0
    decisions: Counter[str] = field(default_factory=Counter)
    pages: int = 0
    told: int = 0
    away: int = 0
    passed_over: int = 0
    outage: Unavailable | None = None

    @property
    def suppressed(self) -> int:
        """How often somebody who was away was not told; `decisions` says why."""
        return sum(count for name, count in self.decisions.items() if not name.startswith(("alert", "silent")))
