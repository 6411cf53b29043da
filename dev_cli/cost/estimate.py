"""Puts a stage's bill together: the floor, the use, and what a million of each thing costs."""

from dataclasses import dataclass, replace

from cdk_app.settings import Stage
from dev_cli.cost.floor import floor_of
from dev_cli.cost.lines import Line, total
from dev_cli.cost.usage import usage_of
from dev_cli.cost.workload import Workload

MILLION = 1_000_000


@dataclass(frozen=True, kw_only=True)
class Estimate:
    """A stage's month under one workload; `floor_awake_usd` is the floor if its database never pauses."""

    stage: str
    region: str
    floor: list[Line]
    floor_awake_usd: float
    usage: list[Line]
    per_million: dict[str, float]

    @property
    def floor_usd(self) -> float:
        """What the stage costs by being there."""
        return total(self.floor)

    @property
    def usage_usd(self) -> float:
        """What the use adds."""
        return total(self.usage)


def estimate(stage: Stage, work: Workload) -> Estimate:
    """Work the bill out from the stage's settings; a month in which somebody writes all day keeps Aurora awake."""
    busy = work.messages > 0
    return Estimate(
        stage=stage.name,
        region=stage.region,
        floor=floor_of(stage, awake=busy),
        floor_awake_usd=total(floor_of(stage, awake=True)),
        usage=usage_of(stage, work),
        per_million=per_million(stage, work),
    )


def per_million(stage: Stage, work: Workload) -> dict[str, float]:
    """Tell what a million of each costs in usage alone: everybody connected with one device, batches as given."""
    alone = Workload(messages=MILLION, batch=work.batch)
    group = replace(alone, group_share=1.0, group_size=work.group_size)
    quiet = total(usage_of(stage, alone))
    return {
        "messages between two": quiet,
        f"messages to a group of {work.group_size}": total(usage_of(stage, group)),
        "messages whose recipient is away": total(usage_of(stage, replace(alone, online=0.0))),
        "receipts": total(usage_of(stage, replace(alone, reads=1.0))) - quiet,
        f"files of {work.media_kib:g} KiB, with their messages": total(
            usage_of(stage, replace(alone, media_share=1.0, media_kib=work.media_kib))
        ),
        "connection minutes, with heartbeats": _minutes(stage),
        "REST calls": total(usage_of(stage, Workload(users=MILLION, rest_calls=24 / 730))),
    }


def _minutes(stage: Stage) -> float:
    """A million connection minutes without the handshakes."""
    work = Workload(users=MILLION, hours=24 / 730 / 60)
    keys = ("websocket-messages", "connection-minutes")
    return sum(line.usd for line in usage_of(stage, work) if line.key in keys)
