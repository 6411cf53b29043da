"""What functions log, measure and trace on the local AWS is found in CloudWatch and X-Ray."""

from __future__ import annotations

import base64
import json
import time
from datetime import UTC, datetime, timedelta

from .conftest import LocalAws
from .functions import invoke


def test_logs_reach_cloudwatch_framed_by_start_and_report(aws: LocalAws) -> None:
    """Lambda: "Sending Lambda function logs to CloudWatch Logs"."""
    aws.create_function(
        "logs", "import sys\ndef handler(event, context):\n    print('to out')\n    print('to err', file=sys.stderr)\n"
    )
    answer = aws.client("lambda").invoke(FunctionName="logs", LogType="Tail")
    assert base64.b64decode(answer["LogResult"]).decode() == "to out\nto err\n"
    invoke(aws, "logs")
    events = aws.client("logs").filter_log_events(logGroupName="/aws/lambda/logs")["events"]
    messages = [event["message"] for event in events]
    assert [message.split(" ")[0] for message in messages] == ["START", "to", "to", "END", "REPORT"] * 2
    assert len({event["logStreamName"] for event in events}) == 1


def test_the_root_logger_writes_as_the_runtimes_does(aws: LocalAws) -> None:
    """Lambda: "Log and monitor Python Lambda functions", using the standard logging library."""
    aws.create_function(
        "logger", "import logging\ndef handler(event, context): logging.getLogger('own').warning('care')\n"
    )
    answer = aws.client("lambda").invoke(FunctionName="logger", LogType="Tail")
    level, _, request_id, message = base64.b64decode(answer["LogResult"]).decode().rstrip().split("\t")
    assert (level, message) == ("[WARNING]", "care")
    assert len(request_id) == 36


def test_embedded_metrics_become_cloudwatch_metrics(aws: LocalAws) -> None:
    """CloudWatch: "Specification: Embedded metric format"."""
    line = {
        "_aws": {
            "Timestamp": int(time.time() * 1000),
            "CloudWatchMetrics": [
                {"Namespace": "Own", "Dimensions": [["cell"]], "Metrics": [{"Name": "Sent", "Unit": "Count"}]}
            ],
        },
        "cell": "g1",
        "Sent": [2, 3],
    }
    aws.create_function("metrics", f"def handler(event, context): print({json.dumps(line)!r})")
    invoke(aws, "metrics")
    now = datetime.now(UTC)
    points = aws.client("cloudwatch").get_metric_statistics(
        Namespace="Own", MetricName="Sent", Dimensions=[{"Name": "cell", "Value": "g1"}], Period=3600,
        StartTime=now - timedelta(hours=1), EndTime=now + timedelta(hours=1), Statistics=["Sum", "SampleCount"],
    )["Datapoints"]  # fmt: skip
    assert sum(point["Sum"] for point in points) == 5
    assert sum(point["SampleCount"] for point in points) == 2


def test_invocations_and_errors_are_counted_once(aws: LocalAws) -> None:
    """Lambda: "Types of metrics for Lambda functions"."""
    aws.create_function("counted", "def handler(event, context): return 1 / event")
    for event in (1, 0, 1):
        invoke(aws, "counted", event)
    now = datetime.now(UTC)

    def total(metric: str) -> float:
        points = aws.client("cloudwatch").get_metric_statistics(
            Namespace="AWS/Lambda", MetricName=metric, Dimensions=[{"Name": "FunctionName", "Value": "counted"}],
            Period=3600, StartTime=now - timedelta(hours=1), EndTime=now + timedelta(hours=1), Statistics=["Sum"],
        )["Datapoints"]  # fmt: skip
        return float(sum(point["Sum"] for point in points))

    assert (total("Invocations"), total("Errors")) == (3, 1)


def test_a_trace_can_be_read_back_through_the_function_it_calls(aws: LocalAws) -> None:
    """X-Ray: "Tracing header", "Segment documents"; Lambda: "Visualize Lambda function invocations using AWS X-Ray"."""
    aws.create_function("traced-inner", "import os\ndef handler(event, c): return os.environ['_X_AMZN_TRACE_ID']")
    source = """
import boto3, json, os, socket
lambda_ = boto3.client("lambda")
def handler(event, context):
    header = os.environ["_X_AMZN_TRACE_ID"]
    fields = dict(part.split("=") for part in header.split(";"))
    host, port = os.environ["AWS_XRAY_DAEMON_ADDRESS"].split(":")
    subsegment = {"id": "0123456789abcdef", "trace_id": fields["Root"], "parent_id": fields["Parent"],
                  "type": "subsegment", "name": "work", "start_time": 1.0, "end_time": 2.0,
                  "annotations": {"message_id": "m1"}}
    document = '{"format": "json", "version": 1}\\n' + json.dumps(subsegment)
    socket.socket(socket.AF_INET, socket.SOCK_DGRAM).sendto(document.encode(), (host, int(port)))
    inner = json.loads(lambda_.invoke(FunctionName="traced-inner")["Payload"].read())
    return [header, inner]
"""
    aws.create_function("traced", source, TracingConfig={"Mode": "Active"})
    (outer, inner), _ = invoke(aws, "traced")
    assert outer.endswith(";Sampled=1")
    root = outer.split(";")[0].removeprefix("Root=")
    assert inner.startswith(f"Root={root};")
    traces = aws.client("xray").batch_get_traces(TraceIds=[root])["Traces"]
    segments = {
        document["name"]: document
        for document in (json.loads(segment["Document"]) for segment in traces[0]["Segments"])
    }
    assert set(segments) == {"traced", "traced-inner", "work"}
    assert segments["work"]["parent_id"] == segments["traced"]["id"]
    now = datetime.now(UTC)
    summaries = aws.client("xray").get_trace_summaries(StartTime=datetime.fromtimestamp(0, UTC), EndTime=now)
    summary = next(each for each in summaries["TraceSummaries"] if each["Id"] == root)
    assert summary["Annotations"]["message_id"][0]["AnnotationValue"] == {"StringValue": "m1"}


def test_an_alarm_looks_at_its_metric_by_itself(aws: LocalAws) -> None:
    """CloudWatch: "Using Amazon CloudWatch alarms": evaluated each period, whoever writes the metric."""
    aws.create_function("alarming", "def handler(event, context): return 1 / 0")
    cloudwatch = aws.client("cloudwatch")
    cloudwatch.put_metric_alarm(
        AlarmName="alarming", Namespace="AWS/Lambda", MetricName="Errors", Statistic="Sum", Period=60,
        Dimensions=[{"Name": "FunctionName", "Value": "alarming"}], EvaluationPeriods=1, Threshold=1,
        ComparisonOperator="GreaterThanOrEqualToThreshold",
    )  # fmt: skip
    invoke(aws, "alarming")
    deadline = time.monotonic() + 20
    while cloudwatch.describe_alarms(AlarmNames=["alarming"])["MetricAlarms"][0]["StateValue"] != "ALARM":
        assert time.monotonic() < deadline
        time.sleep(0.2)
