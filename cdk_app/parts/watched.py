"""What is watched: the functions of a stage and what is wrong with each, the APIs, the stores."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from aws_cdk import Stack
from aws_cdk import aws_lambda as lambda_

from cdk_app.parts.alarms import MINUTE, Watch, aws_metric, function_metric, own_metric
from cdk_app.settings import Stage
from cdk_app.store_settings import Broker, Database, Managed

LAGGING_RECORDS = 5_000
"""Unread records of a consumer: some seconds of a busy stage, minutes of a small one."""


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


def watch_consumer(consumer: Consumer) -> Iterator[Watch]:
    """Say when a consumer fails, is refused, or falls behind."""
    yield Watch(
        name=f"{consumer.title}Errors",
        metric=function_metric("Errors", consumer.function),
        threshold=5,
        periods=2,
        meaning=f"{consumer.function} fails again and again: what {consumer.topic} holds is kept and retried, and is "
        "late. Its log tells why; look at the stores first.",
    )
    yield Watch(
        name=f"{consumer.title}Throttles",
        metric=function_metric("Throttles", consumer.function),
        threshold=1,
        periods=3,
        meaning=f"{consumer.function} is refused invocations: raise its reserved concurrency, or the account's quota.",
    )
    yield Watch(
        name=f"{consumer.title}Lag",
        metric=function_metric("OffsetLag", consumer.function, statistic="Maximum", period=MINUTE),
        threshold=LAGGING_RECORDS,
        periods=5,
        meaning=f"{consumer.topic} fills faster than {consumer.function} reads it. Look whether it fails; else raise "
        "its pollers and partitions (docs/scaling.md).",
    )


def watch_function(stage: Stage, function: str) -> Iterator[Watch]:
    """Say when a function fails or is refused."""
    title = title_of(function.removeprefix(f"{stage.prefix}-"))
    yield Watch(
        name=f"{title}Errors",
        metric=function_metric("Errors", function),
        threshold=5,
        periods=2,
        meaning=f"{function} fails: its log tells why.",
    )
    yield Watch(
        name=f"{title}Throttles",
        metric=function_metric("Throttles", function),
        threshold=1,
        periods=3,
        meaning=f"{function} is refused invocations: raise its reserved concurrency, or the account's quota.",
    )


def watch_dead_letters(stage: Stage) -> Iterator[Watch]:
    """Say when a record was given up, by whichever function judges records."""
    for service in ("logic-upstream", "task-worker", "gateway-websocket"):
        yield Watch(
            name=f"{title_of(service)}DeadLetters",
            metric=own_metric("DeadLetters", service, stage.name),
            threshold=1,
            periods=1,
            meaning=f"{service} gave up a record, which lies in im-dead-letter-topic with its reason "
            "(docs/operations.md, redrive).",
        )


def watch_users(stage: Stage) -> Iterator[Watch]:
    """Say when users wait or are refused, whatever the cause."""
    yield Watch(
        name="MessagesStoredLate",
        metric=own_metric("StoreLag", "logic-upstream", stage.name, statistic="p99", period=MINUTE),
        threshold=5_000,
        periods=5,
        meaning="Messages are stored more than 5 s after they were accepted. Look at the lag of logic-upstream.",
    )
    yield Watch(
        name="MessagesDeliveredLate",
        metric=own_metric("EndToEnd", "gateway-deliver", stage.name, statistic="p99", period=MINUTE),
        threshold=10_000,
        periods=5,
        meaning="Messages reach clients more than 10 s after they were sent. Look at the lag of each consumer.",
    )
    yield Watch(
        name="RequestsFail",
        metric=own_metric("RequestFailed", "gateway-http", stage.name),
        threshold=10,
        periods=2,
        meaning="REST answers 5xx. Look at the log of gateway-http, then at that of logic-rpc.",
    )
    yield Watch(
        name="ConnectionsRefused",
        metric=own_metric("ConnectionsRefused", "gateway-websocket", stage.name),
        threshold=100,
        periods=2,
        meaning="Handshakes are refused. Rejected tokens are everyday; an outage of the stores refuses everybody.",
    )
    for service in ("logic-sweep", "task-sweep", "gateway-sweep"):
        yield Watch(
            name=f"{title_of(service)}Duties",
            metric=own_metric("DutyFailed", service, stage.name),
            threshold=5,
            periods=2,
            meaning=f"A duty of {service} fails again and again: its log names it.",
        )


def watch_stores(stage: Stage, settings: Managed) -> Iterator[Watch]:
    """Say when a store is near its limits or loses a part of itself."""
    yield from _watch_database(stage, settings.database)
    cache = {"clusterId": stage.prefix}
    yield Watch(
        name="CacheThrottled",
        metric=aws_metric("ElastiCache", "ThrottledCmds", cache, statistic="Sum"),
        threshold=1,
        periods=3,
        meaning="The cache refuses commands: raise its limit of ECPU a second. Everything works, slower.",
    )
    yield Watch(
        name="CacheFull",
        metric=aws_metric("ElastiCache", "BytesUsedForCache", cache),
        threshold=0.9 * settings.cache.maximum_gb * 1_000_000_000,
        periods=3,
        meaning="The cache is nearly full and will evict: raise its limit of storage.",
    )
    if isinstance(settings.broker, Broker):
        yield from _watch_cluster(stage, settings.broker)


def _watch_cluster(stage: Stage, settings: Broker) -> Iterator[Watch]:
    """Watch what brokers tell; a serverless cluster tells of traffic alone, and lagging readers are seen apart."""
    cluster = {"Cluster Name": stage.prefix}
    yield Watch(
        name="BrokerPartitionsOffline",
        metric=aws_metric("Kafka", "OfflinePartitionsCount", cluster, period=MINUTE),
        threshold=1,
        periods=3,
        meaning="Partitions have no leader: what would go there is refused. Look at the brokers' state.",
    )
    yield Watch(
        name="BrokerWithoutController",
        metric=aws_metric("Kafka", "ActiveControllerCount", cluster, period=MINUTE),
        threshold=1,
        periods=5,
        below=True,
        meaning="The cluster has no controller: no leader can be chosen. Ask AWS support.",
    )
    for broker in range(1, settings.brokers + 1):
        yield from _watch_broker(settings, {**cluster, "Broker ID": str(broker)}, broker)


def _watch_database(stage: Stage, settings: Database) -> Iterator[Watch]:
    cluster = {"DBClusterIdentifier": stage.prefix}
    yield Watch(
        name="DatabaseAtItsLimit",
        metric=aws_metric("RDS", "ACUUtilization", cluster, statistic="Average"),
        threshold=90,
        periods=3,
        meaning="The database is at its largest size: raise maximum_acu, then look for slow queries in its log.",
    )
    yield Watch(
        name="DatabaseDeadlocks",
        metric=aws_metric("RDS", "Deadlocks", cluster, statistic="Average"),
        threshold=1,
        periods=3,
        meaning="Transactions lose against each other every second; they are run again, which costs time.",
    )
    if settings.readers:
        yield Watch(
            name="DatabaseReaderLags",
            metric=aws_metric("RDS", "AuroraReplicaLag", cluster),
            threshold=2_000,
            periods=3,
            meaning="A reader is 2 s behind the writer: what is read for display is that old.",
        )
    if settings.proxy:
        yield Watch(
            name="DatabaseProxyPins",
            metric=aws_metric("RDS", "DatabaseConnectionsCurrentlySessionPinned", {"ProxyName": stage.prefix}),
            threshold=100,
            periods=3,
            meaning="The proxy can't share connections between sessions: look in its log for the statement that pins.",
        )


def _watch_broker(settings: Broker, dimensions: dict[str, str], broker: int) -> Iterator[Watch]:
    if not settings.is_express:
        yield Watch(
            name=f"Broker{broker}Disk",
            metric=aws_metric("Kafka", "KafkaDataLogsDiskUsed", dimensions),
            threshold=80,
            periods=3,
            meaning=f"The disk of broker {broker} is 80% full; full, it refuses writes. Raise volume_gib.",
        )
    yield Watch(
        name=f"Broker{broker}Replicas",
        metric=aws_metric("Kafka", "UnderReplicatedPartitions", dimensions, statistic="Average"),
        threshold=1,
        periods=6,
        meaning=f"Partitions of broker {broker} lack replicas for half an hour: one more failure stops their writes.",
    )
