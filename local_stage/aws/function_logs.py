"""Write what functions log into CloudWatch Logs, a stream for each execution environment, and keep its size bounded."""

from __future__ import annotations

import time
from typing import Any

from ministack.services import cloudwatch_logs

from local_stage.aws.pinned import require

# MiniStack keeps logs in memory. A developer reads the last minutes, and a test its own invocation.
EVENTS_A_STREAM = 5_000
STREAMS_A_GROUP = 40

require(cloudwatch_logs, "_log_groups", "_make_group_arn", "_append_log_events", "_fanout_to_subscription_filters")


def group_of(config: dict[str, Any]) -> str:
    """Name the log group of a function's configuration."""
    chosen: str | None = (config.get("LoggingConfig") or {}).get("LogGroup")
    return chosen or f"/aws/lambda/{config['FunctionName']}"


def write_invocation(config: dict[str, Any], *, stream: str, request_id: str, log: str, duration_ms: float) -> None:
    """Append one invocation's lines, framed by the platform's START, END and REPORT.

    Runs in the function's account and region (MiniStack's context variables).
    """
    version = config.get("Version", "$LATEST")
    memory = config.get("MemorySize", 128)
    lines = [
        f"START RequestId: {request_id} Version: {version}",
        *log.splitlines(),
        f"END RequestId: {request_id}",
        f"REPORT RequestId: {request_id}\tDuration: {duration_ms:.2f} ms\t"
        f"Billed Duration: {int(duration_ms) + 1} ms\tMemory Size: {memory} MB",
    ]
    now_ms = int(time.time() * 1000)
    events = [{"timestamp": now_ms, "message": line, "ingestionTime": now_ms} for line in lines]
    group = group_of(config)
    record = _stream(group, stream, now_ms)
    cloudwatch_logs._append_log_events(record, events)
    if len(record["events"]) > EVENTS_A_STREAM:
        del record["events"][: len(record["events"]) - EVENTS_A_STREAM]
    cloudwatch_logs._fanout_to_subscription_filters(group, stream, events)


def _stream(group: str, stream: str, now_ms: int) -> dict[str, Any]:
    groups = cloudwatch_logs._log_groups
    if group not in groups:
        groups[group] = {
            "arn": cloudwatch_logs._make_group_arn(group),
            "creationTime": now_ms,
            "retentionInDays": None,
            "tags": {},
            "subscriptionFilters": {},
            "streams": {},
        }
    streams: dict[str, dict[str, Any]] = groups[group]["streams"]
    if stream not in streams:
        streams[stream] = {
            "events": [],
            "uploadSequenceToken": "1",
            "creationTime": now_ms,
            "firstEventTimestamp": None,
            "lastEventTimestamp": None,
            "lastIngestionTime": None,
        }
        while len(streams) > STREAMS_A_GROUP:
            streams.pop(next(iter(streams)))
    return streams[stream]
