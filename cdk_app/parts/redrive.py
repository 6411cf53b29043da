"""What a function was asked for asynchronously and failed at is kept in a queue and done again, until it succeeds."""

from collections.abc import Iterator
from dataclasses import dataclass

from aws_cdk import Duration
from aws_cdk import aws_iam as iam
from aws_cdk import aws_lambda as lambda_
from aws_cdk import aws_lambda_destinations as destinations
from aws_cdk import aws_sqs as sqs

from cdk_app.acknowledgements import acknowledge
from cdk_app.catalogue import FunctionSpec
from cdk_app.parts.alarms import FIVE_MINUTES, Watch, declare_alarm, function_metric
from cdk_app.parts.function import FunctionContext
from cdk_app.parts.mapping import mapped
from cdk_app.settings import Stage
from cdk_app.stores import allow

MAX_RECEIVES = 1_000
"""The most that SQS counts: with a pause of six timeouts a day and more, in which a store comes back."""


@dataclass(frozen=True, kw_only=True)
class Redrive:
    """The queue of one function's failures, and the one in which they end that never succeeded."""

    title: str
    failed: sqs.Queue
    given_up: sqs.Queue

    def statements(self) -> list[iam.PolicyStatement]:
        """Allow the function's role what Lambda does in its name: put failures in, take them out."""
        actions = ["SendMessage", "ReceiveMessage", "DeleteMessage", "GetQueueAttributes"]
        return [allow(actions, [self.failed.queue_arn], "sqs")]

    def watch(self, stage: Stage, function: str) -> None:
        """Alarm when something has failed for long, when it was given up, and when it could not even be kept."""
        for watch in self._watches(stage, function):
            declare_alarm(self.failed.stack, stage, watch)

    def _watches(self, stage: Stage, function: str) -> Iterator[Watch]:
        yield Watch(
            name=f"{self.title}FailsForLong",
            metric=self.failed.metric_approximate_age_of_oldest_message(period=FIVE_MINUTES),
            threshold=stage.thresholds.async_failing_s,
            periods=1,
            meaning=f"What {function} was asked for asynchronously fails for long; it is tried until it succeeds.",
            runbook="asynchronous-work-fails",
        )
        yield Watch(
            name=f"{self.title}GivenUpAlarm",
            metric=self.given_up.metric_approximate_number_of_messages_visible(period=FIVE_MINUTES),
            threshold=1,
            periods=1,
            meaning=f"What {function} was asked for asynchronously was given up; it is kept for 14 days.",
            runbook="asynchronous-work-fails",
        )
        if stage.alarms == "all":
            yield Watch(
                name=f"{self.title}FailuresLost",
                metric=function_metric("DestinationDeliveryFailures", function),
                threshold=1,
                periods=1,
                meaning=f"What {function} failed at could not be queued, and is not done again.",
                runbook="asynchronous-work-fails",
            )

    def attach(self, function: lambda_.IFunction) -> None:
        """Have Lambda repeat an asynchronous invocation twice, then queue it, and give the function what is queued.

        One at a time, so that one that fails takes no other with it. The function finds what it was first invoked with
        in `requestPayload` (Lambda developer guide, "Capturing records of Lambda asynchronous invocations").
        """
        function.configure_async_invoke(
            retry_attempts=2, max_event_age=Duration.hours(1), on_failure=destinations.SqsDestination(self.failed)
        )
        mapping = lambda_.CfnEventSourceMapping(
            function.stack,
            f"{self.title}RedriveMapping",
            function_name=mapped(function),
            event_source_arn=self.failed.queue_arn,
            batch_size=1,
            # The least there is: what is late already must not crowd out what isn't.
            scaling_config=lambda_.CfnEventSourceMapping.ScalingConfigProperty(maximum_concurrency=2),
        )
        mapping.node.add_dependency(function.role or function)
        acknowledge(
            mapping,
            "Serverless-LambdaEventSourceMappingDestination",
            "The queue itself has another one for what never succeeds.",
        )


def declare_redrive(context: FunctionContext, spec: FunctionSpec, *, cell_id: str | None = None) -> Redrive:
    """Declare the queues of a function. Messages are kept for 14 days, the longest that SQS does."""
    title = spec.title + (cell_id.capitalize() if cell_id else "")
    name = "-".join(filter(None, (context.stage.prefix, spec.name, cell_id)))

    def queue(kind: str, **options: object) -> sqs.Queue:
        return sqs.Queue(
            context.stack,
            f"{title}{kind.capitalize().replace('-u', 'U')}",
            queue_name=f"{name}-{kind}",
            encryption=sqs.QueueEncryption.SQS_MANAGED,
            enforce_ssl=not context.stage.on_emulator,
            retention_period=Duration.days(14),
            **options,  # type: ignore[arg-type]
        )

    given_up = queue("given-up")
    acknowledge(given_up, "Serverless-SQSRedrivePolicy", "Here ends what was given up, until an operator looks at it.")
    failed = queue(
        "failed",
        # As Lambda asks for (Lambda developer guide, "Configuring a queue to use with Lambda"); soon on a laptop.
        visibility_timeout=Duration.seconds(spec.timeout_s * (1 if context.stage.on_emulator else 6)),
        dead_letter_queue=sqs.DeadLetterQueue(queue=given_up, max_receive_count=MAX_RECEIVES),
    )
    redrive = Redrive(title=title, failed=failed, given_up=given_up)
    if not context.stage.on_emulator:
        redrive.watch(context.stage, name)
    return redrive
