"""Alarms: each says what it means and what to do first."""

from dataclasses import dataclass

from aws_cdk import Duration, Stack
from aws_cdk import aws_cloudwatch as cloudwatch

NAMESPACE = "GoChat"
"""Of what the functions measure themselves (`gochat_core.metrics`)."""

MINUTE = Duration.minutes(1)
FIVE_MINUTES = Duration.minutes(5)


@dataclass(frozen=True, kw_only=True)
class Watch:
    """One alarm: `threshold` is reached or passed in `periods` of a row of as many periods of the metric."""

    name: str
    metric: cloudwatch.IMetric
    threshold: float
    periods: int
    meaning: str
    """What it means for users, and what to look at first."""
    below: bool = False
    """Whether it is the low values that are bad."""


def declare_alarm(stack: Stack, watch: Watch) -> cloudwatch.Alarm:
    """Declare an alarm; silence is no alarm, because most of what is counted is not counted when nothing happens."""
    operators = cloudwatch.ComparisonOperator
    return cloudwatch.Alarm(
        stack,
        watch.name,
        alarm_description=watch.meaning,
        metric=watch.metric,
        threshold=watch.threshold,
        evaluation_periods=watch.periods,
        comparison_operator=(
            operators.LESS_THAN_THRESHOLD if watch.below else operators.GREATER_THAN_OR_EQUAL_TO_THRESHOLD
        ),
        treat_missing_data=cloudwatch.TreatMissingData.NOT_BREACHING,
    )


def own_metric(
    name: str, service: str, stage: str, *, statistic: str = "Sum", period: Duration = FIVE_MINUTES
) -> cloudwatch.Metric:
    """Name what a function measures itself."""
    return cloudwatch.Metric(
        namespace=NAMESPACE,
        metric_name=name,
        dimensions_map={"service": service, "stage": stage},
        statistic=statistic,
        period=period,
    )


def function_metric(
    name: str, function: str, *, statistic: str = "Sum", period: Duration = FIVE_MINUTES
) -> cloudwatch.Metric:
    """Name what Lambda measures of a function."""
    return aws_metric("Lambda", name, {"FunctionName": function}, statistic=statistic, period=period)


def aws_metric(
    service: str, name: str, dimensions: dict[str, str], *, statistic: str = "Maximum", period: Duration = FIVE_MINUTES
) -> cloudwatch.Metric:
    """Name what an AWS service measures."""
    return cloudwatch.Metric(
        namespace=f"AWS/{service}",
        metric_name=name,
        dimensions_map=dimensions,
        statistic=statistic,
        period=period,
    )
