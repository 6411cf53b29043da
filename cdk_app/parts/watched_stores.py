"""What is watched of the stores: how near each is to its limits, and whether it has lost a part of itself."""

from collections.abc import Iterator

from cdk_app.parts.alarms import FIVE_MINUTES, MINUTE, Watch, aws_metric, computed
from cdk_app.settings import Stage
from cdk_app.store_settings import Broker, Managed

GB = 1_000_000_000


def watch_stores(stage: Stage, settings: Managed) -> Iterator[Watch]:
    """Say when a store is near its limits or loses a part of itself."""
    yield from _watch_database(stage, settings)
    if settings.database.proxy:
        yield from _watch_proxy(stage)
    yield from _watch_cache(stage, settings)
    # A serverless cluster tells of traffic alone; who reads too slowly is seen by its lag.
    if isinstance(settings.broker, Broker):
        yield from _watch_cluster(stage)
        for broker in range(1, settings.broker.brokers + 1):
            yield from _watch_broker(stage, settings.broker, broker)


def _watch_database(stage: Stage, settings: Managed) -> Iterator[Watch]:
    cluster, limits = {"DBClusterIdentifier": stage.database_name}, stage.thresholds
    yield Watch(
        name="DatabaseAtItsLimit",
        metric=aws_metric("RDS", "ACUUtilization", cluster, statistic="Average"),
        threshold=limits.database_capacity_percent,
        periods=3,
        meaning="The database is at its largest size: soon everything waits for it.",
        runbook="the-database-is-at-its-limit",
    )
    yield Watch(
        name="DatabaseDeadlocks",
        metric=aws_metric("RDS", "Deadlocks", cluster, statistic="Average"),
        threshold=limits.deadlocks_a_second,
        periods=3,
        meaning="Transactions lose against each other every second; they are run again, which costs time.",
        runbook="transactions-lose-against-each-other",
    )
    if settings.database.readers:
        yield Watch(
            name="DatabaseReaderLags",
            metric=aws_metric("RDS", "AuroraReplicaLag", cluster),
            threshold=limits.reader_behind_ms,
            periods=3,
            meaning="A reader is seconds behind the writer: what is read for display is that old.",
            runbook="a-reader-lags",
        )


def _watch_proxy(stage: Stage) -> Iterator[Watch]:
    """Watch RDS Proxy; it tells each of its own servers' numbers, so counts are sums and their ratio is one of sums.

    (Aurora user guide, "Monitoring RDS Proxy metrics with Amazon CloudWatch".)
    """
    proxy, limits = {"ProxyName": stage.prefix}, stage.thresholds
    yield Watch(
        name="DatabaseProxyPins",
        metric=aws_metric("RDS", "DatabaseConnectionsCurrentlySessionPinned", proxy),
        threshold=limits.database_pinned,
        periods=3,
        meaning="The proxy can't share connections between sessions, and will run out of them.",
        runbook="the-proxy-runs-out-of-connections",
    )
    counts = {
        "open": aws_metric("RDS", "DatabaseConnections", proxy, statistic="Sum"),
        "allowed": aws_metric("RDS", "MaxDatabaseConnectionsAllowed", proxy, statistic="Sum"),
    }
    yield Watch(
        name="DatabaseProxyFull",
        metric=computed("connections that are open, percent", "100 * open / allowed", counts),
        threshold=limits.database_connections_percent,
        periods=3,
        meaning="The proxy has nearly as many connections open as the database allows it.",
        runbook="the-proxy-runs-out-of-connections",
    )
    yield Watch(
        name="DatabaseProxyWaits",
        # In microseconds (the same page).
        metric=aws_metric("RDS", "DatabaseConnectionsBorrowLatency", proxy, statistic="Average"),
        threshold=limits.database_waits_ms * 1_000,
        periods=3,
        meaning="Functions wait for a connection of the proxy before they can ask anything.",
        runbook="the-proxy-runs-out-of-connections",
    )


def _watch_cache(stage: Stage, settings: Managed) -> Iterator[Watch]:
    cache, share = {"clusterId": stage.prefix}, stage.thresholds.cache_percent / 100
    yield Watch(
        name="CacheThrottled",
        metric=aws_metric("ElastiCache", "ThrottledCmds", cache, statistic="Sum"),
        threshold=1,
        periods=3,
        meaning="The cache refuses commands. Everything works, slower.",
        runbook="the-cache-is-at-its-limit",
    )
    yield Watch(
        name="CacheBusy",
        metric=aws_metric("ElastiCache", "ElastiCacheProcessingUnits", cache, statistic="Sum", period=FIVE_MINUTES),
        threshold=share * settings.cache.maximum_ecpu_per_second * FIVE_MINUTES.to_seconds(),
        periods=2,
        meaning="The cache does nearly as much as it may, and will refuse what comes on top.",
        runbook="the-cache-is-at-its-limit",
    )
    yield Watch(
        name="CacheFull",
        metric=aws_metric("ElastiCache", "BytesUsedForCache", cache),
        threshold=share * settings.cache.maximum_gb * GB,
        periods=3,
        meaning="The cache is nearly full and will evict.",
        runbook="the-cache-is-at-its-limit",
    )


def _watch_cluster(stage: Stage) -> Iterator[Watch]:
    cluster = {"Cluster Name": stage.prefix}
    yield Watch(
        name="BrokerPartitionsOffline",
        metric=aws_metric("Kafka", "OfflinePartitionsCount", cluster, period=MINUTE),
        threshold=1,
        periods=3,
        meaning="Partitions have no leader: what would go there is refused.",
        runbook="kafka-has-no-leader",
    )
    yield Watch(
        name="BrokerWithoutController",
        metric=aws_metric("Kafka", "ActiveControllerCount", cluster, period=MINUTE),
        threshold=1,
        periods=5,
        below=True,
        meaning="The cluster has no controller: no leader can be chosen.",
        runbook="kafka-has-no-leader",
    )


def _watch_broker(stage: Stage, settings: Broker, broker: int) -> Iterator[Watch]:
    """Watch one broker: what all levels of monitoring tell, and its replicas, which need PER_BROKER or more."""
    dimensions = {"Cluster Name": stage.prefix, "Broker ID": str(broker)}
    if not settings.is_express:
        yield Watch(
            name=f"Broker{broker}Disk",
            metric=aws_metric("Kafka", "KafkaDataLogsDiskUsed", dimensions),
            threshold=stage.thresholds.broker_disk_percent,
            periods=3,
            meaning=f"The disk of broker {broker} is nearly full; full, it refuses writes.",
            runbook="a-brokers-disk-is-full",
        )
    used = {
        "user": aws_metric("Kafka", "CpuUser", dimensions, statistic="Average"),
        "system": aws_metric("Kafka", "CpuSystem", dimensions, statistic="Average"),
    }
    yield Watch(
        name=f"Broker{broker}Cpu",
        metric=computed("CPU, percent", "user + system", used),
        threshold=stage.thresholds.broker_cpu_percent,
        periods=6,
        meaning=f"Broker {broker} is busier than a cluster can bear that loses one broker.",
        runbook="a-broker-is-too-small",
    )
    yield Watch(
        name=f"Broker{broker}Replicas",
        metric=aws_metric("Kafka", "UnderReplicatedPartitions", dimensions, statistic="Average"),
        threshold=1,
        periods=6,
        meaning=f"Partitions of broker {broker} lack replicas for half an hour: one more failure stops their writes.",
        runbook="a-broker-is-too-small",
    )
