"""What a month's use adds to a stage's floor."""

from cdk_app.settings import Stage
from cdk_app.store_settings import Broker, Database, Managed
from dev_cli.cost import effort, prices
from dev_cli.cost.lines import HOURS, Line
from dev_cli.cost.workload import Workload, traffic_of

MILLION = 1e6
FIRST_TIER = 1e9
"""WebSocket messages a month before the lower price."""


def usage_of(stage: Stage, work: Workload) -> list[Line]:
    """List what is billed by use."""
    traffic = traffic_of(work)
    invocations = effort.invocations_of(stage, traffic)
    runs = sum(one.count for one in invocations.values())
    gb_seconds = sum(one.gb_seconds(stage) for one in invocations.values())
    logs = effort.log_gb(traffic, invocations)
    frames, beyond = min(traffic.frames, FIRST_TIER), max(0.0, traffic.frames - FIRST_TIER)

    def line(key: str, title: str, quantity: float, price: prices.Price) -> Line:
        return Line(key=key, title=title, quantity=quantity, price=price)

    lines = [
        line("websocket-messages", "WebSocket messages", frames / MILLION, prices.WEBSOCKET_MESSAGES),
        line("websocket-messages", "beyond a billion", beyond / MILLION, prices.WEBSOCKET_MESSAGES_BEYOND),
        line(
            "connection-minutes", "Connection minutes", traffic.connection_minutes / MILLION, prices.CONNECTION_MINUTES
        ),
        line("http-requests", "HTTP API requests", traffic.rest_calls / MILLION, prices.HTTP_REQUESTS),
        line("invocations", "Lambda invocations", runs / MILLION, prices.LAMBDA_REQUESTS),
        line("lambda-time", f"Lambda time at {stage.memory_mib} MiB", gb_seconds, prices.LAMBDA_TIME),
        line("logs", "Logs taken in", logs, prices.LOGS_IN),
        line("logs-kept", f"Logs kept for {stage.log_retention_days} days", _kept(stage, logs), prices.LOGS_KEPT),
        line("traces", "Traces", _traced(stage) * runs / MILLION, prices.TRACES),
        line("pushes", "Pushes by SNS", traffic.pushes / MILLION if stage.push_applications else 0.0, prices.PUSHES),
        line("file-writes", "Uploads", traffic.uploads / MILLION, prices.FILE_WRITES),
        line("file-reads", "Downloads", traffic.downloads / MILLION, prices.FILE_READS),
        line(
            "file-storage",
            "Files of the month",
            traffic.uploads * work.media_kib * 1024 / effort.GB,
            prices.FILE_STORAGE,
        ),
        line("data-out", "Data out", effort.out_gb(traffic, work.media_kib), prices.DATA_OUT),
    ]
    if isinstance(stage.stores, Managed):
        lines += _stores(stage, stage.stores, work)
    return [one for one in lines if one.quantity]


def _traced(stage: Stage) -> float:
    return effort.TRACED_SHARE if stage.tracing == "sampled" else 0.0


def _stores(stage: Stage, stores: Managed, work: Workload) -> list[Line]:
    """List what the managed stores are billed by use."""
    traffic = traffic_of(work)
    engine = stores.cache.engine
    units = traffic.messages * effort.CACHE_UNITS + traffic.recipients * effort.CACHE_UNITS_PER_RECIPIENT
    rows_gb = traffic.messages * effort.ROW_BYTES / effort.GB
    acu_hours = traffic.messages / effort.MESSAGES_PER_ACU_S / 3600
    kept_months = stage.topics.retention_hours / HOURS
    written_gb = (traffic.messages + traffic.posts) * effort.FRAME_BYTES / effort.GB
    return [
        Line(
            key="aurora-capacity",
            title="Aurora capacity above the least",
            quantity=acu_hours,
            price=prices.AURORA_CAPACITY,
        ),
        Line(
            key="aurora-io",
            title="Aurora requests",
            quantity=traffic.messages * effort.DATABASE_IO / MILLION,
            price=prices.AURORA_IO,
        ),
        Line(key="aurora-storage", title="Messages of the month", quantity=rows_gb, price=prices.AURORA_STORAGE),
        Line(
            key="backup-storage",
            title=f"Their copies in the backup vault: {billed_copies(stores.database)}, each full",
            quantity=rows_gb * billed_copies(stores.database),
            price=prices.BACKUP_STORAGE,
        ),
        Line(
            key="cache-units",
            title=f"ElastiCache requests ({engine})",
            quantity=units / MILLION,
            price=prices.CACHE_UNITS[engine],
        ),
        *_broker(stores, written_gb, kept_months),
    ]


def _broker(stores: Managed, written_gb: float, kept_months: float) -> list[Line]:
    """List what MSK asks for data: nothing on standard brokers; every record is read once, by its mapping."""
    kept_gb = written_gb * kept_months
    if isinstance(stores.broker, Broker):
        express = stores.broker.is_express
        asked = [
            ("msk-data", "MSK Express: data written", written_gb * express, prices.EXPRESS_DATA_IN),
            ("msk-storage", "MSK Express: data kept", kept_gb * express, prices.EXPRESS_STORAGE),
        ]
    else:
        asked = [
            ("msk-data", "MSK Serverless: data written", written_gb, prices.SERVERLESS_DATA_IN),
            ("msk-data", "MSK Serverless: data read", written_gb, prices.SERVERLESS_DATA_OUT),
            ("msk-storage", "MSK Serverless: data kept", kept_gb, prices.SERVERLESS_STORAGE),
        ]
    return [Line(key=key, title=title, quantity=quantity, price=price) for key, title, quantity, price in asked]


def billed_copies(database: Database) -> int:
    """Count the daily copies in the vault that are older than what point-in-time recovery holds for nothing.

    Each is billed with the cluster's whole size (Aurora user guide, "Understanding Amazon Aurora backup storage
    usage").
    """
    return max(0, (database.vault_days or 0) - database.backup_days)


def _kept(stage: Stage, logs_gb: float) -> float:
    """Tell how many GB-months a month's logs come to: what is kept for 14 days lies there for half a month."""
    return logs_gb * stage.log_retention_days / 30.4
