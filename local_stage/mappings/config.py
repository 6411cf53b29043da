"""Reads an event source mapping, as the Lambda API describes it, into what the poller obeys."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from local_stage.mappings.filters import Pattern, parse_patterns

# Lambda developer guide, "All Kafka event source configuration parameters" and API CreateEventSourceMapping.
DEFAULT_BATCH_SIZE = 100
DEFAULT_WINDOW_S = 0.5
INFINITE = -1
# "Using a Kafka topic as an on-failure destination": both infinite retries and a destination -> 10 retries.
RETRIES_BESIDE_A_DESTINATION = 10

SELF_MANAGED = "SelfManagedKafka"
MANAGED = "aws:kafka"
KAFKA_DESTINATION = "kafka://"


class BadMapping(Exception):
    """Say why Lambda would refuse this mapping, or why the local stage cannot serve it."""


@dataclass(frozen=True, kw_only=True)
class RetryPolicy:
    """Say what becomes of records whose invocation failed; -1 means without end.

    `honours_item_failures`: whether `batchItemFailures` of the answer count. `from_lowest` is the reading of them in
    which everything from a partition's lowest failed offset comes again; else only the failed records do.
    """

    max_retries: int = INFINITE
    max_age_s: int = INFINITE
    bisect: bool = False
    honours_item_failures: bool = False
    from_lowest: bool = False


@dataclass(frozen=True, kw_only=True)
class MappingConfig:
    """Hold one enabled mapping. Two configurations that differ need a new poller; `bootstrap` is filled in later."""

    uuid: str
    function_arn: str
    topic: str
    group_id: str
    event_source: str
    event_source_arn: str | None
    bootstrap: str
    batch_size: int
    window_s: float
    starting_position: str
    starting_timestamp_ms: int | None
    patterns: tuple[Pattern, ...]
    policy: RetryPolicy
    destination: str | None
    ignored: tuple[str, ...] = ()


def parse_mapping(raw: Mapping[str, Any], *, from_lowest: bool = False) -> MappingConfig:
    """Return the mapping's configuration; BadMapping if Lambda would refuse it.

    `bootstrap` stays empty for an MSK source: GetBootstrapBrokers tells it. Outside of provisioned mode the error
    handling controls are ignored, as their guide page offers them only there; `ignored` names those that were set.
    """
    topics = raw.get("Topics") or []
    if len(topics) != 1:
        raise BadMapping(f"a Kafka mapping names one topic, this one {len(topics)}")
    own = raw.get("AmazonManagedKafkaEventSourceConfig") or raw.get("SelfManagedKafkaEventSourceConfig") or {}
    endpoints = (raw.get("SelfManagedEventSource") or {}).get("Endpoints") or {}
    servers = endpoints.get("KAFKA_BOOTSTRAP_SERVERS") or []
    arn = raw.get("EventSourceArn") or None
    if not servers and not arn:
        raise BadMapping("it names neither bootstrap servers nor a cluster")
    destination = _destination(raw, topics[0])
    window_s = raw.get("MaximumBatchingWindowInSeconds")
    started_at = raw.get("StartingPositionTimestamp")
    return MappingConfig(
        uuid=raw["UUID"],
        function_arn=raw["FunctionArn"],
        topic=topics[0],
        group_id=own.get("ConsumerGroupId") or raw["UUID"],
        event_source=SELF_MANAGED if servers else MANAGED,
        event_source_arn=None if servers else arn,
        bootstrap=",".join(servers),
        batch_size=raw.get("BatchSize") or DEFAULT_BATCH_SIZE,
        window_s=DEFAULT_WINDOW_S if window_s is None else float(window_s),
        starting_position=raw.get("StartingPosition") or "TRIM_HORIZON",
        starting_timestamp_ms=int(started_at.timestamp() * 1000) if isinstance(started_at, datetime) else None,
        patterns=_patterns(raw),
        policy=_policy(raw, has_destination=destination is not None, from_lowest=from_lowest),
        destination=destination,
        ignored=() if _provisioned(raw) else _controls(raw),
    )


def _policy(raw: Mapping[str, Any], *, has_destination: bool, from_lowest: bool) -> RetryPolicy:
    if _provisioned(raw):
        policy = RetryPolicy(
            max_retries=_number(raw, "MaximumRetryAttempts"),
            max_age_s=_number(raw, "MaximumRecordAgeInSeconds"),
            bisect=bool(raw.get("BisectBatchOnFunctionError")),
            honours_item_failures="ReportBatchItemFailures" in (raw.get("FunctionResponseTypes") or []),
            from_lowest=from_lowest,
        )
    else:
        policy = RetryPolicy(from_lowest=from_lowest)
    if has_destination and policy.max_retries == INFINITE:
        return RetryPolicy(
            max_retries=RETRIES_BESIDE_A_DESTINATION,
            max_age_s=policy.max_age_s,
            bisect=policy.bisect,
            honours_item_failures=policy.honours_item_failures,
            from_lowest=from_lowest,
        )
    return policy


def _provisioned(raw: Mapping[str, Any]) -> bool:
    return bool(raw.get("ProvisionedPollerConfig"))


def _controls(raw: Mapping[str, Any]) -> tuple[str, ...]:
    """Name the error handling controls that are set ("Configuring error handling controls for Kafka event sources")."""
    numbers = [name for name in ("MaximumRetryAttempts", "MaximumRecordAgeInSeconds") if _number(raw, name) != INFINITE]
    switches = [name for name in ("BisectBatchOnFunctionError", "FunctionResponseTypes") if raw.get(name)]
    return tuple(numbers + switches)


def _number(raw: Mapping[str, Any], name: str) -> int:
    value = raw.get(name)
    return INFINITE if value is None else int(value)


def _destination(raw: Mapping[str, Any], topic: str) -> str | None:
    destination: str | None = ((raw.get("DestinationConfig") or {}).get("OnFailure") or {}).get("Destination") or None
    if destination == f"{KAFKA_DESTINATION}{topic}":
        raise BadMapping(f"its on-failure topic is its own source topic, {topic}: Lambda refuses such a loop")
    return destination


def _patterns(raw: Mapping[str, Any]) -> tuple[Pattern, ...]:
    filters = (raw.get("FilterCriteria") or {}).get("Filters") or []
    try:
        return parse_patterns(filter_["Pattern"] for filter_ in filters)
    except ValueError as error:
        raise BadMapping(f"its FilterCriteria do not parse: {error}") from error
