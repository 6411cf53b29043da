"""What is watched of the functions: consumers of topics, sweeps, and what users feel of all of them."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from aws_cdk import Duration, Stack
from aws_cdk import aws_lambda as lambda_

from cdk_app import catalogue
from cdk_app.parts.alarms import MINUTE, Watch, aws_metric, computed, function_metric, own_metric
from cdk_app.settings import Stage

SWEEPS = (catalogue.LOGIC_SWEEP, catalogue.TASK_SWEEP, catalogue.GATEWAY_PROBER)
"""What runs every minute; the cells' own sweeps are watched by what they do."""


@dataclass(frozen=True, kw_only=True)
class Consumer:
    """A function that reads a topic; its group has the function's name."""

    title: str
    function: str
    topic: str


def title_of(name: str) -> str:
    """Write a function's name as logical ids are written: `gateway-deliver-g1` is `GatewayDeliverG1`."""
    return "".join(part.capitalize() for part in name.split("-"))


def functions_of(stacks: Iterable[Stack]) -> list[str]:
    """Name the functions that do the stage's work; custom resources fail where everybody looks, in a deployment."""
    found = []
    for stack in stacks:
        for child in stack.node.children:
            cfn = child.node.default_child if isinstance(child, lambda_.Function) else None
            if isinstance(cfn, lambda_.CfnFunction) and not (cfn.handler or "").startswith("cdk_app."):
                found.append(str(cfn.function_name))
    return found


def consumers_of(stage: Stage, stacks: Iterable[Stack]) -> list[Consumer]:
    """List the consumers of topics, as their event source mappings tell them."""
    found = []
    for stack in stacks:
        for child in stack.node.children:
            if isinstance(child, lambda_.CfnEventSourceMapping) and child.topics:
                config = child.amazon_managed_kafka_event_source_config or child.self_managed_kafka_event_source_config
                group = str(getattr(config, "consumer_group_id", None))
                title = title_of(group.removeprefix(f"{stage.prefix}-"))
                found.append(Consumer(title=title, function=group, topic=child.topics[0]))
    return found


def watch_consumer(stage: Stage, consumer: Consumer) -> Iterator[Watch]:
    """Say when a consumer fails, is refused, or falls behind."""
    yield Watch(
        name=f"{consumer.title}Errors",
        metric=function_metric("Errors", consumer.function),
        threshold=stage.thresholds.function_errors,
        periods=2,
        meaning=f"{consumer.function} fails again and again: what {consumer.topic} holds is kept and retried, and is "
        "late.",
        runbook="a-consumer-fails",
    )
    yield _watch_throttles(consumer.title, consumer.function)
    yield Watch(
        name=f"{consumer.title}Lag",
        metric=function_metric("OffsetLag", consumer.function, statistic="Maximum", period=MINUTE),
        threshold=stage.thresholds.lagging_records,
        periods=5,
        meaning=f"{consumer.topic} fills faster than {consumer.function} reads it.",
        runbook="a-consumer-lags",
    )


def watch_function(stage: Stage, function: str) -> Iterator[Watch]:
    """Say when a function fails or is refused."""
    title = title_of(function.removeprefix(f"{stage.prefix}-"))
    yield Watch(
        name=f"{title}Errors",
        metric=function_metric("Errors", function),
        threshold=stage.thresholds.function_errors,
        periods=2,
        meaning=f"{function} fails, and so does whatever called it.",
        runbook="a-function-fails",
    )
    yield _watch_throttles(title, function)


def _watch_throttles(title: str, function: str) -> Watch:
    return Watch(
        name=f"{title}Throttles",
        metric=function_metric("Throttles", function),
        threshold=1,
        periods=3,
        meaning=f"{function} is refused invocations.",
        runbook="invocations-are-refused",
    )


def watch_account(stage: Stage) -> Iterator[Watch]:
    """Say when the account's concurrency is nearly used up, by this stage or by anything else in the region."""
    yield Watch(
        name="AccountConcurrency",
        # What runs without a reservation, and everything that is reserved (Lambda developer guide, "Monitoring
        # concurrency"); the region's, so it has no dimension.
        metric=aws_metric("Lambda", "ClaimedAccountConcurrency", {}, period=MINUTE),
        threshold=stage.thresholds.claimed_concurrency,
        periods=3,
        meaning="The account's concurrency of Lambda is nearly used up; beyond it every function is refused.",
        runbook="invocations-are-refused",
    )


def watch_dead_letters(stage: Stage) -> Iterator[Watch]:
    """Say when a record was given up, by whichever function judges records."""
    for service in ("logic-upstream", "task-worker", "gateway-websocket"):
        yield Watch(
            name=f"{title_of(service)}DeadLetters",
            metric=own_metric("DeadLetters", service, stage.name),
            threshold=1,
            periods=1,
            meaning=f"{service} gave up a record, which lies in im-dead-letter-topic with its reason.",
            runbook="a-record-was-given-up",
        )


def watch_users(stage: Stage) -> Iterator[Watch]:
    """Say when users wait or are refused, whatever the cause."""
    yield Watch(
        name="MessagesStoredLate",
        metric=own_metric("StoreLag", "logic-upstream", stage.name, statistic="p99", period=MINUTE),
        threshold=stage.thresholds.stored_late_ms,
        periods=5,
        meaning="Messages are stored seconds after they were accepted.",
        runbook="messages-are-late",
    )
    yield Watch(
        name="MessagesDeliveredLate",
        metric=own_metric("EndToEnd", "gateway-deliver", stage.name, statistic="p99", period=MINUTE),
        threshold=stage.thresholds.delivered_late_ms,
        periods=5,
        meaning="Messages reach clients many seconds after they were sent.",
        runbook="messages-are-late",
    )
    yield Watch(
        name="ConnectionsRefused",
        metric=own_metric("ConnectionsRefused", "gateway-websocket", stage.name),
        threshold=stage.thresholds.connections_refused,
        periods=2,
        meaning="Handshakes are refused. Rejected tokens are everyday; an outage of the stores refuses everybody.",
        runbook="handshakes-are-refused",
    )


def watch_canary(stage: Stage) -> Iterator[Watch]:
    """Say when two users could not talk for three runs in a row, or when nobody has tried.

    Three, because a run may fall out of its period by seconds, and one failed run is not worth waking somebody.
    """
    if stage.canary and stage.canary.on:
        period = Duration.minutes(stage.canary.every_minutes)
        yield Watch(
            name="CanaryFails",
            metric=own_metric("CanarySucceeded", catalogue.TASK_CANARY.name, stage.name, period=period),
            threshold=1,
            periods=3,
            meaning="Two users can't write to each other over every door, or the canary does not run.",
            runbook="the-canary-fails",
            below=True,
            silence_is_bad=True,
        )


def watch_sweeps(stage: Stage) -> Iterator[Watch]:
    """Say when a sweep fails at its duties, or when none runs any more."""
    for service in ("logic-sweep", "task-sweep", "gateway-sweep"):
        yield Watch(
            name=f"{title_of(service)}Duties",
            metric=own_metric("DutyFailed", service, stage.name),
            threshold=stage.thresholds.duties_failed,
            periods=2,
            meaning=f"A duty of {service} fails again and again: what it does is done late.",
            runbook="a-sweep-fails",
        )
    if stage.sweeps.on:
        runs = {
            f"runs{number}": function_metric("Invocations", f"{stage.prefix}-{sweep.name}")
            for number, sweep in enumerate((*SWEEPS, *([catalogue.REPO_AUDIT] if stage.sweeps.audit else ())))
        }
        yield Watch(
            name="SweepsRest",
            metric=computed("runs of the sweep that runs least", f"MIN([{', '.join(runs)}])", runs),
            threshold=1,
            periods=2,
            meaning="What should run every minute has not run for ten: nothing tells who went offline, announces what "
            "was left, checks leases or audits.",
            runbook="a-sweep-fails",
            below=True,
            silence_is_bad=True,
        )
