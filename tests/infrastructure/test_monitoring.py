"""What is watched: every consumer, every function, the stores; and that somebody is told."""

import json
import re
from collections.abc import Iterator
from typing import Any

import pytest

from tests.infrastructure.synthesis import ROOT, Resource, Synthesis

BY_THE_CLOCK = {"SweepsRest", "CanaryFails"}
SYMPTOMS = {"CanaryFails", "RequestsFail", "CellG1Fails", "CellG2Fails", "MessagesStoredLate", "MessagesDeliveredLate"}

ON_AWS = ["dev", "prod", "external", "two-cells", "custom-domain"]


@pytest.fixture(params=ON_AWS)
def watched_stage(request: pytest.FixtureRequest, syntheses: dict[str, Synthesis]) -> Synthesis:
    return syntheses[request.param]


def _alarms(stage: Synthesis) -> list[Resource]:
    return stage.resources("AWS::CloudWatch::Alarm")


def _watched(stage: Synthesis, metric: str) -> set[str]:
    """The functions over whose metric an alarm stands."""
    return {
        dimension["Value"]
        for alarm in _alarms(stage)
        if alarm.properties.get("MetricName") == metric and alarm.properties["Namespace"] == "AWS/Lambda"
        for dimension in alarm.properties["Dimensions"]
        if dimension["Name"] == "FunctionName" and isinstance(dimension["Value"], str)
    }


def _consumers(stage: Synthesis) -> set[str]:
    configs = ("AmazonManagedKafkaEventSourceConfig", "SelfManagedKafkaEventSourceConfig")
    return {
        mapping.properties[config]["ConsumerGroupId"]
        for mapping in stage.resources("AWS::Lambda::EventSourceMapping")
        for config in configs
        if config in mapping.properties
    }


def test_every_consumer_is_watched_for_errors_throttles_and_lag(watched_stage: Synthesis) -> None:
    names = {function.properties["FunctionName"] for function in watched_stage.functions().values()}
    consumers = _consumers(watched_stage)
    assert len(consumers) >= 4
    assert consumers <= names, "a consumer group has its function's name"
    for metric in ("Errors", "Throttles", "OffsetLag"):
        assert consumers <= _watched(watched_stage, metric), metric


@pytest.mark.parametrize("name", ["prod", "external", "two-cells"])
def test_every_function_of_a_stage_for_users_is_watched(syntheses: dict[str, Synthesis], name: str) -> None:
    stage = syntheses[name]
    functions = {
        function.properties["FunctionName"]
        for function in stage.functions().values()
        if not function.properties["Handler"].startswith("cdk_app.")
    }
    for metric in ("Errors", "Throttles"):
        assert _watched(stage, metric) == functions


def test_dead_letters_are_watched_wherever_records_are_given_up(watched_stage: Synthesis) -> None:
    watched = {
        dimension["Value"]
        for alarm in _alarms(watched_stage)
        if alarm.properties.get("MetricName") == "DeadLetters"
        for dimension in alarm.properties["Dimensions"]
        if dimension["Name"] == "service"
    }
    emitting = {
        "-".join(path.relative_to(ROOT / "functions").parts[:2])
        for path in (ROOT / "functions").rglob("*.py")
        if '"DeadLetters"' in path.read_text()
    }
    assert watched == emitting


def test_every_alarm_says_what_it_means_and_tells_somebody(watched_stage: Synthesis) -> None:
    assert _alarms(watched_stage)
    for alarm in _alarms(watched_stage):
        assert len(alarm.properties["AlarmDescription"]) > 20, alarm.logical_id
        assert f"gochat-{watched_stage.stage}-alarms" in json.dumps(alarm.properties["AlarmActions"]), alarm.logical_id


def test_silence_is_an_alarm_for_what_must_happen_by_the_clock_and_for_nothing_else(watched_stage: Synthesis) -> None:
    loud = {
        alarm.properties["AlarmName"].rpartition("-")[2]
        for alarm in _alarms(watched_stage)
        if alarm.properties["TreatMissingData"] != "notBreaching"
    }
    assert loud == (set() if watched_stage.stage == "dev" else BY_THE_CLOCK)


def test_one_alarm_of_symptoms_is_there_to_wake_somebody(syntheses: dict[str, Synthesis]) -> None:
    stage = syntheses["two-cells"]
    unwell = stage.one("AWS::CloudWatch::CompositeAlarm")
    named = set(re.findall(r'ALARM\("gochat-prod-(\w+)"\)', unwell.properties["AlarmRule"]))
    assert named == SYMPTOMS
    assert named <= {alarm.properties["AlarmName"].rpartition("-")[2] for alarm in _alarms(stage)}
    ((topic,), (also,)) = (unwell.properties[kind] for kind in ("AlarmActions", "OKActions"))
    assert topic == also
    pages = [one for one in stage.resources("AWS::SNS::Topic") if one.logical_id == topic["Ref"]]
    assert [page.properties["TopicName"] for page in pages] == ["gochat-prod-pages"]
    own = {alarm.logical_id for alarm in _alarms(stage) if alarm.stack == "Monitoring"}
    assert set(unwell.body["DependsOn"]) <= own, "what it names must be there before it"


def test_topics_take_alarms_of_this_account_over_tls_alone(watched_stage: Synthesis) -> None:
    topics, policies = (watched_stage.resources(kind) for kind in ("AWS::SNS::Topic", "AWS::SNS::TopicPolicy"))
    assert len(topics) == len(policies)
    for policy in policies:
        refused, allowed = policy.properties["PolicyDocument"]["Statement"]
        assert (refused["Effect"], refused["Condition"]) == ("Deny", {"Bool": {"aws:SecureTransport": "false"}})
        assert allowed["Principal"] == {"Service": "cloudwatch.amazonaws.com"}
        assert allowed["Condition"] == {"StringEquals": {"aws:SourceAccount": {"Ref": "AWS::AccountId"}}}


def test_apis_are_watched_each_under_its_own_id(syntheses: dict[str, Synthesis]) -> None:
    stage = syntheses["two-cells"]
    apis = {api.logical_id: api.properties["ProtocolType"] for api in stage.resources("AWS::ApiGatewayV2::Api")}
    watched: dict[str, set[str]] = {api: set() for api in apis}
    for alarm in _alarms(stage):
        for metric in _metrics(alarm):
            for dimension in metric["Dimensions"]:
                if dimension["Name"] == "ApiId":
                    watched[dimension["Value"]["Ref"]].add(metric["MetricName"])
    expected = {"HTTP": {"5xx", "Count", "Latency"}, "WEBSOCKET": {"IntegrationError", "ExecutionError", "ClientError"}}
    assert watched == {api: expected[protocol] for api, protocol in apis.items()}


def _metrics(alarm: Resource) -> list[dict[str, Any]]:
    """What an alarm looks at: one metric, or those of its computation."""
    if "MetricName" in alarm.properties:
        return [{"Dimensions": [], **alarm.properties}]
    return [one["MetricStat"]["Metric"] for one in alarm.properties["Metrics"] if "MetricStat" in one]


def test_the_certificate_of_a_stage_with_names_of_its_own_is_watched(syntheses: dict[str, Synthesis]) -> None:
    (alarm,) = [
        one for one in _alarms(syntheses["custom-domain"]) if one.properties.get("MetricName") == "DaysToExpiry"
    ]
    assert alarm.properties["ComparisonOperator"] == "LessThanThreshold"


def test_the_account_s_concurrency_is_watched_below_its_default(prod: Synthesis) -> None:
    (alarm,) = [one for one in _alarms(prod) if one.properties.get("MetricName") == "ClaimedAccountConcurrency"]
    reserved = sum(function.properties.get("ReservedConcurrentExecutions", 0) for function in prod.functions().values())
    assert reserved < alarm.properties["Threshold"] < 1_000
    assert "Dimensions" not in alarm.properties


def test_stores_of_prod_are_watched(prod: Synthesis) -> None:
    namespaces = {alarm.properties.get("Namespace") for alarm in _alarms(prod)}
    assert {"AWS/RDS", "AWS/ElastiCache", "AWS/Kafka"} <= namespaces
    disks = [alarm for alarm in _alarms(prod) if alarm.properties.get("MetricName") == "KafkaDataLogsDiskUsed"]
    assert len(disks) == prod.one("AWS::MSK::Cluster").properties["NumberOfBrokerNodes"]
    metrics = {metric["MetricName"] for alarm in _alarms(prod) for metric in _metrics(alarm)}
    assert metrics >= {
        *("ACUUtilization", "Deadlocks", "AuroraReplicaLag"),
        *("MaxDatabaseConnectionsAllowed", "DatabaseConnectionsBorrowLatency"),
        *("ThrottledCmds", "ElastiCacheProcessingUnits", "BytesUsedForCache"),
        *("CpuUser", "CpuSystem", "UnderReplicatedPartitions", "OfflinePartitionsCount", "ActiveControllerCount"),
    }


def test_express_brokers_have_no_disks_to_watch(syntheses: dict[str, Synthesis]) -> None:
    metrics = {alarm.properties.get("MetricName") for alarm in _alarms(syntheses["express"])}
    assert "UnderReplicatedPartitions" in metrics
    assert "KafkaDataLogsDiskUsed" not in metrics


def test_metrics_of_our_own_are_emitted_by_the_function_that_they_are_watched_of(prod: Synthesis) -> None:
    shared = "".join(path.read_text() for path in (ROOT / "layers" / "core").rglob("*.py"))
    for service, name in set(_own_metrics(prod)):
        package = ROOT / "functions" / service.replace("-", "/", 1)
        code = "".join(path.read_text() for path in package.rglob("*.py")) + shared
        # `Push{name}` is put together from the outcome's name.
        assert f'"{name}"' in code or (name.startswith("Push") and 'f"Push{' in code), (service, name)


def _own_metrics(stage: Synthesis) -> Iterator[tuple[str, str]]:
    for alarm in _alarms(stage):
        if alarm.properties.get("Namespace") == "GoChat":
            dimensions = {one["Name"]: one["Value"] for one in alarm.properties["Dimensions"]}
            assert dimensions["stage"] == stage.stage
            yield dimensions["service"], alarm.properties["MetricName"]
    for metric in _dashboard_metrics(stage):
        if metric[0] == "GoChat":
            named = dict(zip(metric[2::2], metric[3::2], strict=False))
            yield named["service"], metric[1]


def _dashboard_metrics(stage: Synthesis) -> Iterator[list[Any]]:
    body = stage.one("AWS::CloudWatch::Dashboard").properties["DashboardBody"]
    text = (
        body
        if isinstance(body, str)
        else "".join(part if isinstance(part, str) else "x" for part in body["Fn::Join"][1])
    )
    for widget in json.loads(text)["widgets"]:
        for metric in widget["properties"].get("metrics", []):
            # Of a computed value stands only how it is computed.
            if named := [part for part in metric if isinstance(part, str)]:
                yield named


def test_the_dashboard_shows_each_function_and_each_consumer(watched_stage: Synthesis) -> None:
    shown = {part for metric in _dashboard_metrics(watched_stage) for part in metric}
    assert _consumers(watched_stage) <= shown
    assert {"AcceptDuration", "StoreLag", "EndToEnd", "RequestDuration", "OffsetLag", "DeadLetters"} <= shown


def test_saved_queries_read_the_logs_of_every_function(prod: Synthesis) -> None:
    groups = {group.properties["LogGroupName"] for group in prod.resources("AWS::Logs::LogGroup")}
    queries = prod.resources("AWS::Logs::QueryDefinition")
    assert len(queries) >= 3
    for query in queries:
        assert set(query.properties["LogGroupNames"]) <= groups


def test_the_local_stage_is_watched_by_whoever_runs_it(local: Synthesis) -> None:
    assert not _alarms(local)


def test_a_release_is_taken_back_when_its_calls_fail(prod: Synthesis) -> None:
    groups = prod.resources("AWS::CodeDeploy::DeploymentGroup")
    assert len(groups) >= 6
    for group in groups:
        assert group.properties["AutoRollbackConfiguration"]["Enabled"] is True
        assert "DEPLOYMENT_STOP_ON_ALARM" in group.properties["AutoRollbackConfiguration"]["Events"]
        (alarm,) = group.properties["AlarmConfiguration"]["Alarms"]
        assert "ReleaseAlarm" in str(alarm)
        assert group.properties["DeploymentConfigName"] == "CodeDeployDefault.LambdaCanary10Percent5Minutes"
    aliases = [alias for alias in prod.resources("AWS::Lambda::Alias") if "UpdatePolicy" in alias.body]
    assert len(aliases) == len(groups)
