"""The dashboard: what users feel on top, then each consumer, function and store, and saved queries of the logs."""

from collections.abc import Sequence

from aws_cdk import Duration, Stack
from aws_cdk import aws_cloudwatch as cloudwatch
from aws_cdk import aws_logs as logs

from cdk_app.parts.alarms import aws_metric, function_metric, own_metric
from cdk_app.parts.watched import Consumer
from cdk_app.settings import Stage
from cdk_app.store_settings import Managed
from cdk_app.topics import plan_topics

_WIDTH = 24


def declare_dashboard(
    stack: Stack,
    stage: Stage,
    *,
    functions: Sequence[str],
    consumers: Sequence[Consumer],
    alarms: Sequence[cloudwatch.IAlarm],
) -> None:
    """Declare the dashboard of a stage, named as its resources are."""
    rows: list[list[cloudwatch.IWidget]] = [
        [cloudwatch.AlarmStatusWidget(title="Alarms", alarms=list(alarms), width=_WIDTH, height=4)],
        _users(stage),
        _messages(stage),
        _account(stage),
        _consumers(consumers),
        _functions(functions),
    ]
    if stage.canary:
        rows.insert(2, _canary(stage))
    if isinstance(stage.stores, Managed):
        rows.append(_stores(stage))
    cloudwatch.Dashboard(stack, "Dashboard", dashboard_name=stage.prefix, widgets=rows)


def declare_queries(stack: Stack, stage: Stage, functions: Sequence[str]) -> None:
    """Save the questions that one asks the logs of all functions (CloudWatch Logs Insights)."""
    groups = [f"/aws/lambda/{function}" for function in functions]
    for name, query in _QUERIES.items():
        logs.CfnQueryDefinition(
            stack,
            f"Query{''.join(word.capitalize() for word in name.split())}",
            name=f"{stage.prefix}/{name}",
            query_string=query,
            log_group_names=groups,
        )


_QUERIES = {
    "one trace from frame to frame": (
        "fields @timestamp, service, message, @message\n"
        "| filter trace_id = 'PASTE-IT-HERE' or request_id = 'PASTE-IT-HERE'\n"
        "| sort @timestamp asc\n"
        "| limit 200"
    ),
    "errors by function and code": (
        "filter level in ['ERROR', 'CRITICAL'] or status >= 500\n"
        "| stats count(*) as times, latest(@message) as newest by service, code\n"
        "| sort times desc"
    ),
    "slowest invocations": (
        "filter @type = 'REPORT'\n"
        "| fields @log, @duration, @initDuration, @maxMemoryUsed / 1000000 as used_mb\n"
        "| sort @duration desc\n"
        "| limit 50"
    ),
    "canary, step by step": (
        "filter ispresent(CanaryStep)\n"
        "| stats count(*) as runs, pct(CanaryStep, 50) as p50_ms, pct(CanaryStep, 99) as p99_ms by step\n"
        "| sort p99_ms desc"
    ),
    "cold starts": (
        "filter @type = 'REPORT' and ispresent(@initDuration)\n"
        "| stats count(*) as starts, pct(@initDuration, 50) as p50_ms, pct(@initDuration, 99) as p99_ms by @log"
    ),
}


def _graph(title: str, metrics: Sequence[cloudwatch.IMetric], width: int) -> cloudwatch.GraphWidget:
    return cloudwatch.GraphWidget(title=title, left=list(metrics), width=width, height=6)


def _users(stage: Stage) -> list[cloudwatch.IWidget]:
    def latency(name: str, service: str) -> list[cloudwatch.IMetric]:
        return [own_metric(name, service, stage.name, statistic=statistic) for statistic in ("p50", "p99")]

    return [
        _graph("Frame to acknowledgement, ms", latency("AcceptDuration", "gateway-websocket"), 6),
        _graph("Frame to stored, ms", latency("StoreLag", "logic-upstream"), 6),
        _graph("Frame to recipient, ms", latency("EndToEnd", "gateway-deliver"), 6),
        _graph("REST, ms", latency("RequestDuration", "gateway-http"), 6),
    ]


def _canary(stage: Stage) -> list[cloudwatch.IWidget]:
    def metric(name: str, statistic: str) -> cloudwatch.IMetric:
        return own_metric(name, "task-canary", stage.name, statistic=statistic)

    return [
        _graph("Canary: runs that succeeded", [metric("CanarySucceeded", "Sum")], 8),
        _graph("Canary: a run, ms", [metric("CanaryDuration", "p50"), metric("CanaryDuration", "Maximum")], 8),
        _graph("Canary: a step, ms", [metric("CanaryStep", "p50"), metric("CanaryStep", "p99")], 8),
    ]


def _messages(stage: Stage) -> list[cloudwatch.IWidget]:
    return [
        _graph(title, [own_metric(name, service, stage.name) for service, name in counts], 6)
        for title, counts in _COUNTS.items()
    ]


_COUNTS = {
    "Messages": (
        ("gateway-websocket", "Accepted"),
        ("gateway-websocket", "Refused"),
        ("logic-upstream", "Rejected"),
        ("gateway-deliver", "Delivered"),
    ),
    "Connections": (
        ("gateway-websocket", "ConnectionsOpened"),
        ("gateway-websocket", "ConnectionsClosed"),
        ("gateway-websocket", "ConnectionsRefused"),
        ("gateway-websocket", "ConnectionsRemoved"),
    ),
    "Pushes": (
        ("task-worker", "PushesDecided"),
        ("task-worker", "PushesSuppressed"),
        ("task-push", "PushSent"),
        ("task-push", "PushFailed"),
    ),
    "Dead letters and failures": (
        ("logic-upstream", "DeadLetters"),
        ("task-worker", "DeadLetters"),
        ("gateway-websocket", "DeadLetters"),
        ("logic-upstream", "Failed"),
        ("task-worker", "Failed"),
        ("gateway-deliver", "Failed"),
    ),
}


def _account(stage: Stage) -> list[cloudwatch.IWidget]:
    """Show whether everything that went in came out, and what the loss audit says.

    What frames produced and what was settled of the topic differ by what is under way at either end of an hour, and by
    what was delivered twice and settled twice; only a difference that stays above zero hints at a loss.
    """
    hour = Duration.hours(1)
    sides = {
        "produced": own_metric("Produced", "gateway-websocket", stage.name, period=hour),
        "settled": own_metric("Settled", "logic-upstream", stage.name, period=hour),
    }
    owed = cloudwatch.MathExpression(
        expression="FILL(produced, 0) - FILL(settled, 0)", label="not settled", using_metrics=sides, period=hour
    )
    outcomes = [
        own_metric(name, "logic-upstream", stage.name)
        for name in ("Stored", "Duplicates", "Changed", "Unchanged", "Marked", "Rejected")
    ]

    def audited(name: str) -> cloudwatch.IMetric:
        return own_metric(name, "repo-audit", stage.name, statistic="Maximum")

    return [
        _graph("Produced and settled in an hour", [owed, *sides.values()], 6),
        _graph("What became of it", outcomes, 6),
        _graph("Loss audit: findings", [audited("AuditFindings"), audited("AuditedConversations")], 6),
        _graph("Oldest announcement, audit behind, ms", [audited("OutboxOldestAge"), audited("AuditLag")], 6),
    ]


def _consumers(consumers: Sequence[Consumer]) -> list[cloudwatch.IWidget]:
    lag = [function_metric("OffsetLag", one.function, statistic="Maximum") for one in consumers]
    duration = [function_metric("Duration", one.function, statistic="p99") for one in consumers]
    batches = [function_metric("Invocations", one.function) for one in consumers]
    return [
        _graph("Unread records", lag, 8),
        _graph("Batches", batches, 8),
        _graph("A batch, p99, ms", duration, 8),
    ]


def _functions(functions: Sequence[str]) -> list[cloudwatch.IWidget]:
    def all_of(name: str, statistic: str) -> list[cloudwatch.IMetric]:
        return [function_metric(name, function, statistic=statistic) for function in functions]

    return [
        _graph("Errors", all_of("Errors", "Sum"), 8),
        _graph("Throttles", all_of("Throttles", "Sum"), 8),
        _graph("At once", all_of("ConcurrentExecutions", "Maximum"), 8),
    ]


def _stores(stage: Stage) -> list[cloudwatch.IWidget]:
    cluster, cache = {"DBClusterIdentifier": stage.database_name}, {"clusterId": stage.prefix}
    return [
        _graph("Database, ACU", [aws_metric("RDS", "ServerlessDatabaseCapacity", cluster)], 6),
        _graph(
            "Database, connections and latency",
            [
                aws_metric("RDS", "DatabaseConnections", cluster),
                aws_metric("RDS", "CommitLatency", cluster, statistic="Average"),
            ],
            6,
        ),
        _graph(
            "Cache",
            [
                aws_metric("ElastiCache", "ElastiCacheProcessingUnits", cache, statistic="Sum"),
                aws_metric("ElastiCache", "CacheHitRate", cache, statistic="Average"),
            ],
            6,
        ),
        _graph("Broker", _broker(stage), 6),
    ]


def _broker(stage: Stage) -> list[cloudwatch.IMetric]:
    """Give what brokers tell of their partitions; a serverless cluster has none to tell of and tells of each topic."""
    cluster = {"Cluster Name": stage.prefix}
    if stage.serverless_broker:
        return [aws_metric("Kafka", "BytesInPerSec", {**cluster, "Topic": plan.name}) for plan in plan_topics(stage)]
    return [aws_metric("Kafka", name, cluster) for name in ("GlobalPartitionCount", "OfflinePartitionsCount")]
