"""Alarms: each says what it means and where in the runbook stands what to do."""

from collections.abc import Mapping
from dataclasses import dataclass

from aws_cdk import Duration, Stack
from aws_cdk import aws_cloudwatch as cloudwatch

from cdk_app.settings import Stage

NAMESPACE = "GoChat"
"""Of what the functions measure themselves (`gochat_core.metrics`)."""

MINUTE = Duration.minutes(1)
FIVE_MINUTES = Duration.minutes(5)

RUNBOOK = "docs/operations.md#"


@dataclass(frozen=True, kw_only=True)
class Watch:
    """One alarm: `threshold` is reached or passed in `periods` of a row of as many periods of the metric."""

    name: str
    metric: cloudwatch.IMetric
    threshold: float
    periods: int
    meaning: str
    """What it means for users, in one or two sentences."""
    runbook: str
    """The heading below "Alarms" in docs/operations.md that says what to do, as links write it."""
    below: bool = False
    """Whether it is the low values that are bad."""
    silence_is_bad: bool = False
    """Whether no value at all is an alarm too: for what must happen by the clock."""


def alarm_name(stage: Stage, name: str) -> str:
    """Name an alarm as mails and rules of other alarms do; by this it is found without a reference to its stack."""
    return f"{stage.prefix}-{name}"


def declare_alarm(stack: Stack, stage: Stage, watch: Watch) -> cloudwatch.Alarm:
    """Declare an alarm; silence is none, unless it says so: most of what is counted is not when nothing happens."""
    operators, missing = cloudwatch.ComparisonOperator, cloudwatch.TreatMissingData
    return cloudwatch.Alarm(
        stack,
        watch.name,
        alarm_name=alarm_name(stage, watch.name),
        alarm_description=f"{watch.meaning} What to do: {RUNBOOK}{watch.runbook}",
        metric=watch.metric,
        threshold=watch.threshold,
        evaluation_periods=watch.periods,
        comparison_operator=(
            operators.LESS_THAN_THRESHOLD if watch.below else operators.GREATER_THAN_OR_EQUAL_TO_THRESHOLD
        ),
        treat_missing_data=missing.BREACHING if watch.silence_is_bad else missing.NOT_BREACHING,
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


def computed(
    label: str, expression: str, metrics: Mapping[str, cloudwatch.IMetric], *, period: Duration = FIVE_MINUTES
) -> cloudwatch.MathExpression:
    """Compute one value of several metrics; an alarm over it is billed once for each of them."""
    return cloudwatch.MathExpression(expression=expression, using_metrics=dict(metrics), period=period, label=label)
