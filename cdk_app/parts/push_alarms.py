"""Alarms on pushes: they fail, rest for long because a provider is away, or come late."""

from aws_cdk import Duration, Stack
from aws_cdk import aws_cloudwatch as cloudwatch

from cdk_app import catalogue
from cdk_app.settings import Stage

NAMESPACE = "GoChat"
PERIOD = Duration.minutes(5)

FAILED_PERCENT = 10
"""Of what was decided: dead tokens are failures too, and more than a few percent of them at a time is no everyday."""

FEWEST = 20
"""Below so many pushes in a period a share says nothing."""

LATE_MS = 60_000
"""From the message to the provider's word; a storm of a large group takes some seconds."""


def declare_push_alarms(stack: Stack, stage: Stage) -> None:
    """Declare the alarms over what `functions/task/push/handler.py` measures."""

    def metric(name: str, statistic: str = "Sum") -> cloudwatch.Metric:
        return cloudwatch.Metric(
            namespace=NAMESPACE,
            metric_name=name,
            dimensions_map={"service": catalogue.TASK_PUSH.name, "stage": stage.name},
            statistic=statistic,
            period=PERIOD,
        )

    failed = cloudwatch.MathExpression(
        expression=f"IF(FILL(sent, 0) + failed >= {FEWEST}, 100 * failed / (FILL(sent, 0) + failed), 0)",
        using_metrics={"sent": metric("PushSent"), "failed": metric("PushFailed")},
        period=PERIOD,
        label="failed pushes, percent",
    )
    _alarm(stack, "PushesFail", failed, FAILED_PERCENT, "Pushes fail; their reasons stand in push_log", periods=2)
    # A rate limit defers a push now and then; whoever is away does so in every period.
    away = "A push provider does not answer, or refuses this stage; its pushes rest for up to a day"
    _alarm(stack, "PushesRest", metric("PushDeferred"), 1, away, periods=3)
    _alarm(
        stack,
        "PushesLate",
        metric("PushLatency", "p90"),
        LATE_MS,
        "Pushes come late: look at the lag of task-push, then at how long the providers take",
        periods=3,
    )


def _alarm(
    stack: Stack, name: str, metric: cloudwatch.IMetric, threshold: float, description: str, *, periods: int
) -> None:
    cloudwatch.Alarm(
        stack,
        name,
        alarm_description=description,
        metric=metric,
        threshold=threshold,
        comparison_operator=cloudwatch.ComparisonOperator.GREATER_THAN_OR_EQUAL_TO_THRESHOLD,
        evaluation_periods=periods,
        # Nobody is away, so nobody is pushed.
        treat_missing_data=cloudwatch.TreatMissingData.NOT_BREACHING,
    )
