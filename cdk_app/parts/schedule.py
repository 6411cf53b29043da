"""A schedule: what runs a function by the clock."""

from aws_cdk import Aws, Duration
from aws_cdk import aws_iam as iam
from aws_cdk import aws_lambda as lambda_
from aws_cdk import aws_scheduler as scheduler

from cdk_app.acknowledgements import acknowledge
from cdk_app.catalogue import FunctionSpec
from cdk_app.parts.function import FunctionContext
from cdk_app.stores import allow


def declare_schedule(
    context: FunctionContext,
    spec: FunctionSpec,
    function: lambda_.IFunction,
    *,
    on: bool,
    cell_id: str | None = None,
    every_minutes: int = 1,
) -> None:
    """Run a function every so many minutes, or keep its schedule disabled where it is not `on`.

    By EventBridge Scheduler, as AWS recommends over the older scheduled rules (EventBridge user guide, "Creating a
    scheduled rule (legacy)"). A run that failed or was late is not repeated: the next one is minutes away and finds
    what it left.
    """
    stage, stack = context.stage, context.stack
    title = spec.title + (cell_id.capitalize() if cell_id else "")
    name = "-".join(filter(None, (stage.prefix, spec.name, cell_id)))
    function.configure_async_invoke(retry_attempts=0, max_event_age=Duration.minutes(1))
    acknowledge(
        function,
        "Serverless-LambdaAsyncFailureDestination",
        "The next run, minutes later, finds everything that a failed one left; an alarm tells of failures.",
    )
    role = _role(context, f"{title}ScheduleRole", function)
    scheduler.CfnSchedule(
        stack,
        f"{title}Schedule",
        name=name,
        schedule_expression="rate(1 minute)" if every_minutes == 1 else f"rate({every_minutes} minutes)",
        flexible_time_window=scheduler.CfnSchedule.FlexibleTimeWindowProperty(mode="OFF"),
        state="ENABLED" if on else "DISABLED",
        target=scheduler.CfnSchedule.TargetProperty(
            arn=function.function_arn,
            role_arn=role.role_arn,
            retry_policy=scheduler.CfnSchedule.RetryPolicyProperty(
                maximum_event_age_in_seconds=60, maximum_retry_attempts=0
            ),
        ),
    )


def _role(context: FunctionContext, name: str, function: lambda_.IFunction) -> iam.IRole:
    """Declare the role of a schedule, which may invoke its function and nothing else."""
    return iam.Role(
        context.stack,
        name,
        # A schedule of another account must not borrow this role (EventBridge Scheduler user guide, "Confused deputy").
        assumed_by=iam.ServicePrincipal(
            "scheduler.amazonaws.com", conditions={"StringEquals": {"aws:SourceAccount": Aws.ACCOUNT_ID}}
        ),
        inline_policies={
            "rights": iam.PolicyDocument(statements=[allow(["InvokeFunction"], [function.function_arn], "lambda")])
        },
    )
