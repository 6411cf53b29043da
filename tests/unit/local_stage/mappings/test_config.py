from datetime import UTC, datetime
from typing import Any

import pytest

from local_stage.mappings.config import (
    INFINITE,
    MANAGED,
    SELF_MANAGED,
    BadMapping,
    MappingConfig,
    RetryPolicy,
    parse_mapping,
)

PROVISIONED = {"ProvisionedPollerConfig": {"MinimumPollers": 1, "MaximumPollers": 2}}
ON_FAILURE = {"DestinationConfig": {"OnFailure": {"Destination": "kafka://dead-letters"}}}
CONTROLS = {
    "MaximumRetryAttempts": 3,
    "MaximumRecordAgeInSeconds": 600,
    "BisectBatchOnFunctionError": True,
    "FunctionResponseTypes": ["ReportBatchItemFailures"],
}


def parse(*parts: dict[str, Any], from_lowest: bool = False) -> MappingConfig:
    raw: dict[str, Any] = {
        "UUID": "u-1",
        "FunctionArn": "arn:aws:lambda:us-east-1:000000000000:function:f",
        "Topics": ["t"],
        "SelfManagedEventSource": {"Endpoints": {"KAFKA_BOOTSTRAP_SERVERS": ["a:1", "b:2"]}},
    }
    for part in parts:
        raw |= part
    return parse_mapping(raw, from_lowest=from_lowest)


def test_the_defaults_are_those_of_the_kafka_parameter_table() -> None:
    config = parse()
    assert (config.batch_size, config.window_s, config.group_id) == (100, 0.5, "u-1")
    assert (config.event_source, config.bootstrap) == (SELF_MANAGED, "a:1,b:2")
    assert config.policy == RetryPolicy()
    assert config.destination is None


def test_a_window_of_zero_is_not_the_default_window() -> None:
    assert parse({"MaximumBatchingWindowInSeconds": 0}).window_s == 0
    assert parse({"MaximumBatchingWindowInSeconds": 7}).window_s == 7


@pytest.mark.parametrize("own", ["SelfManagedKafkaEventSourceConfig", "AmazonManagedKafkaEventSourceConfig"])
def test_a_fixed_consumer_group_is_used(own: str) -> None:
    assert parse({own: {"ConsumerGroupId": "gochat-upstream"}}).group_id == "gochat-upstream"


def test_a_cluster_s_arn_makes_it_a_managed_source() -> None:
    config = parse({"SelfManagedEventSource": None, "EventSourceArn": "arn:aws:kafka:us-east-1:1:cluster/c/1"})
    assert config.event_source == MANAGED
    assert config.event_source_arn == "arn:aws:kafka:us-east-1:1:cluster/c/1"


def test_provisioned_mode_honours_the_error_handling_controls() -> None:
    config = parse(PROVISIONED, CONTROLS, from_lowest=True)
    assert config.policy == RetryPolicy(
        max_retries=3, max_age_s=600, bisect=True, honours_item_failures=True, from_lowest=True
    )
    assert config.ignored == ()


def test_on_demand_mode_ignores_them_and_says_so() -> None:
    config = parse(CONTROLS)
    assert config.policy == RetryPolicy()
    assert set(config.ignored) == set(CONTROLS)


@pytest.mark.parametrize("mode", [{}, PROVISIONED])
@pytest.mark.parametrize("attempts", [{}, {"MaximumRetryAttempts": -1}])
def test_infinite_retries_beside_a_destination_are_ten(mode: dict[str, Any], attempts: dict[str, Any]) -> None:
    assert parse(mode, attempts, ON_FAILURE).policy.max_retries == 10


def test_a_finite_number_of_retries_beside_a_destination_stands() -> None:
    assert parse(PROVISIONED, ON_FAILURE, {"MaximumRetryAttempts": 10_000}).policy.max_retries == 10_000


def test_infinite_retries_without_a_destination_are_infinite() -> None:
    assert parse(PROVISIONED, {"DestinationConfig": {"OnFailure": {}}}).policy.max_retries == INFINITE


def test_a_starting_timestamp_is_read_in_milliseconds() -> None:
    moment = datetime(2026, 11, 1, tzinfo=UTC)
    config = parse({"StartingPosition": "AT_TIMESTAMP", "StartingPositionTimestamp": moment})
    assert config.starting_timestamp_ms == int(moment.timestamp() * 1000)


@pytest.mark.parametrize(
    ("part", "why"),
    [
        ({"Topics": ["a", "b"]}, "one topic"),
        ({"SelfManagedEventSource": {}}, "neither"),
        ({"DestinationConfig": {"OnFailure": {"Destination": "kafka://t"}}}, "loop"),
        ({"FilterCriteria": {"Filters": [{"Pattern": "no json"}]}}, "FilterCriteria"),
        ({"FilterCriteria": {"Filters": [{"Pattern": '{"value":[{"wildcard":"*"}]}'}]}}, "wildcard"),
    ],
)
def test_what_lambda_would_refuse_is_refused(part: dict[str, Any], why: str) -> None:
    with pytest.raises(BadMapping, match=why):
        parse(part)
