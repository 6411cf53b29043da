"""Alarms on pushes: they fail, rest for long because a provider is away, or come late."""

from collections.abc import Iterator

from aws_cdk import Stack

from cdk_app import catalogue
from cdk_app.parts.alarms import Watch, computed, declare_alarm, own_metric
from cdk_app.settings import Stage

FEWEST = 20
"""Below so many pushes in a period a share says nothing."""


def declare_push_alarms(stack: Stack, stage: Stage) -> None:
    """Declare the alarms over what `functions/task/push/handler.py` measures."""
    for watch in _watches(stage):
        declare_alarm(stack, stage, watch)


def _watches(stage: Stage) -> Iterator[Watch]:
    service = catalogue.TASK_PUSH.name
    counts = {name: own_metric(f"Push{name.capitalize()}", service, stage.name) for name in ("sent", "failed")}
    yield Watch(
        name="PushesFail",
        metric=computed(
            "failed pushes, percent",
            f"IF(FILL(sent, 0) + failed >= {FEWEST}, 100 * failed / (FILL(sent, 0) + failed), 0)",
            counts,
        ),
        threshold=stage.thresholds.pushes_failed_percent,
        periods=2,
        meaning="Pushes fail; their reasons stand in push_log.",
        runbook="pushes-fail",
    )
    # A rate limit defers a push now and then; whoever is away does so in every period.
    yield Watch(
        name="PushesRest",
        metric=own_metric("PushDeferred", service, stage.name),
        threshold=1,
        periods=3,
        meaning="A push provider does not answer, or refuses this stage; its pushes rest for up to a day.",
        runbook="pushes-fail",
    )
    yield Watch(
        name="PushesLate",
        metric=own_metric("PushLatency", service, stage.name, statistic="p90"),
        threshold=stage.thresholds.pushes_late_ms,
        periods=3,
        meaning="Pushes come late.",
        runbook="pushes-fail",
    )
