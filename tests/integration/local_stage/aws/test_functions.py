"""Lambda functions on the local AWS behave as AWS's."""

from __future__ import annotations

import base64
import json
import time
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from typing import Any

from botocore.exceptions import ClientError

from .conftest import LocalAws, archive


def invoke(aws: LocalAws, name: str, event: Any = None, **options: Any) -> tuple[Any, str | None]:
    answer = aws.client("lambda").invoke(FunctionName=name, Payload=json.dumps(event).encode(), **options)
    return json.loads(answer["Payload"].read() or b"null"), answer.get("FunctionError")


def test_a_function_answers_with_what_its_handler_returns(aws: LocalAws) -> None:
    aws.create_function("returns", "def handler(event, context): return {'got': event}")
    assert invoke(aws, "returns", {"a": 1}) == ({"got": {"a": 1}}, None)


def test_a_raise_is_answered_in_awss_shape_and_keeps_the_environment(aws: LocalAws) -> None:
    """Lambda: "Handle errors in Lambda function invocations", "Lambda execution environment lifecycle"."""
    aws.create_function(
        "raises",
        "import os\ncalls = 0\n"
        "def handler(event, context):\n"
        "    global calls\n    calls += 1\n"
        "    if event == 'fail':\n        raise ValueError('no such thing')\n"
        "    return [os.getpid(), calls]\n",
    )
    pid, _ = invoke(aws, "raises")[0]
    error, kind = invoke(aws, "raises", "fail")
    assert kind == "Unhandled"
    assert error["errorMessage"] == "no such thing"
    assert error["errorType"] == "ValueError"
    assert len(error["stackTrace"]) == 1
    assert "index.py" in error["stackTrace"][0]
    assert "raise ValueError('no such thing')" in error["stackTrace"][0]
    assert invoke(aws, "raises")[0] == [pid, 3]


def test_concurrent_invocations_get_environments_of_their_own(aws: LocalAws) -> None:
    """Lambda: "Understanding Lambda function scaling"."""
    aws.create_function(
        "parallel", "import os, time\ndef handler(event, context):\n    time.sleep(1.0)\n    return os.getpid()\n"
    )
    with ThreadPoolExecutor(3) as threads:
        pids = {future.result()[0] for future in [threads.submit(invoke, aws, "parallel") for _ in range(3)]}
    assert len(pids) == 3


def test_layers_come_after_the_code_and_before_the_runtime(aws: LocalAws) -> None:
    """Lambda: "Packaging your layer content"; order as in awslambdaric's bootstrap."""
    client = aws.client("lambda")
    layer = client.publish_layer_version(
        LayerName="lib",
        Content={
            "ZipFile": archive(
                {
                    "python/shared.py": "WHO = 'layer'",
                    "python/extra.py": "WHO = 'layer'",
                    "python/jmespath.py": "WHO = 'layer'",
                }
            )
        },
    )
    client.create_function(
        FunctionName="layered",
        Runtime="python3.13",
        Handler="index.handler",
        Role="arn:aws:iam::000000000000:role/r",
        Code={
            "ZipFile": archive(
                {
                    "index.py": "import shared, extra, jmespath\n"
                    "def handler(e, c): return [shared.WHO, extra.WHO, jmespath.WHO]",
                    "shared.py": "WHO = 'code'",
                }
            )
        },
        Layers=[layer["LayerVersionArn"]],
    )
    assert invoke(aws, "layered") == (["code", "layer", "layer"], None)


def test_a_function_past_its_timeout_is_killed(aws: LocalAws) -> None:
    """Lambda: "Configure Lambda function timeout"."""
    aws.create_function(
        "slow", "import time\ndef handler(event, context):\n    time.sleep(event)\n    return 'done'\n", Timeout=1
    )
    assert invoke(aws, "slow", 0) == ("done", None)
    started = time.monotonic()
    error, kind = invoke(aws, "slow", 30)
    assert kind == "Unhandled"
    assert error["errorType"] == "Sandbox.Timedout"
    assert error["errorMessage"].endswith("Error: Task timed out after 1.00 seconds")
    assert time.monotonic() - started < 10
    assert invoke(aws, "slow", 0) == ("done", None)


def test_the_context_tells_the_remaining_time_and_who_is_invoked(aws: LocalAws) -> None:
    """Lambda: "Using the Lambda context object to retrieve Python function information"."""
    arn = aws.create_function(
        "context",
        "def handler(event, c):\n"
        "    return [c.get_remaining_time_in_millis(), c.function_name, c.invoked_function_arn, c.aws_request_id,\n"
        "            c.log_group_name, c.memory_limit_in_mb, c.function_version]\n",
        Timeout=7,
        MemorySize=256,
    )
    remaining, name, invoked, request_id, group, memory, version = invoke(aws, "context")[0]
    assert 5_000 < remaining <= 7_000
    assert (name, invoked, group, memory, version) == ("context", arn, "/aws/lambda/context", "256", "$LATEST")
    assert len(request_id) == 36


def test_a_killed_process_is_an_exit_error_and_the_next_call_gets_a_new_one(aws: LocalAws) -> None:
    """Lambda: "Troubleshoot execution issues in Lambda", Runtime.ExitError."""
    aws.create_function(
        "killed",
        "import os, signal\ndef handler(event, context):\n"
        "    if event: os.kill(os.getpid(), signal.SIGKILL)\n    return os.getpid()\n",
    )
    first = invoke(aws, "killed", False)[0]
    error, kind = invoke(aws, "killed", True)
    assert kind == "Unhandled"
    assert error["errorType"] == "Runtime.ExitError"
    assert error["errorMessage"].endswith("Error: Runtime exited with error: signal: killed")
    second, kind = invoke(aws, "killed", False)
    assert kind is None
    assert second != first


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


def test_an_unimportable_handler_says_so(aws: LocalAws) -> None:
    """Lambda: "Troubleshoot deployment issues in Lambda", Runtime.ImportModuleError."""
    aws.create_function("unimportable", "import no_such_module\n")
    error, kind = invoke(aws, "unimportable")
    assert kind == "Unhandled"
    assert error["errorType"] == "Runtime.ImportModuleError"
    assert error["errorMessage"] == "Unable to import module 'index': No module named 'no_such_module'"


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


def test_an_asynchronous_invocation_is_retried_twice(aws: LocalAws) -> None:
    """Lambda: "Understanding retry behavior in Lambda": two more attempts after a function error."""
    aws.create_function("retried", "def handler(event, context):\n    print('attempt')\n    raise ValueError('no')\n")
    answer = aws.client("lambda").invoke(FunctionName="retried", InvocationType="Event", Payload=b"{}")
    assert answer["StatusCode"] == 202

    def attempts() -> int:
        try:
            events = aws.client("logs").filter_log_events(logGroupName="/aws/lambda/retried")["events"]
        except ClientError:
            return 0
        return sum(event["message"] == "attempt" for event in events)

    deadline = time.monotonic() + 20
    while attempts() < 3:
        assert time.monotonic() < deadline
        time.sleep(0.1)


def test_a_payload_over_6_mb_is_refused_both_ways(aws: LocalAws) -> None:
    """Lambda: "Lambda quotas", invocation payload 6 MB each for request and response."""
    aws.create_function("large", "def handler(event, context): return 'x' * event if isinstance(event, int) else 'ok'")
    assert invoke(aws, "large", "x" * 6_000_000) == ("ok", None)
    assert invoke(aws, "large", "x" * 6_300_000)[1] is not None
    error, _ = invoke(aws, "large", 6_300_000)
    assert error["errorType"] == "Function.ResponseSizeTooLarge"


def test_new_code_is_used_at_once(aws: LocalAws) -> None:
    aws.create_function("renewed", "def handler(event, context): return 1")
    assert invoke(aws, "renewed")[0] == 1
    client = aws.client("lambda")
    client.update_function_code(
        FunctionName="renewed", ZipFile=archive({"index.py": "def handler(event, context): return 2"})
    )
    assert invoke(aws, "renewed")[0] == 2
    client.update_function_configuration(FunctionName="renewed", Environment={"Variables": {"A": "b"}})
    client.update_function_code(
        FunctionName="renewed", ZipFile=archive({"index.py": "import os\ndef handler(e, c): return os.environ['A']"})
    )
    assert invoke(aws, "renewed")[0] == "b"


def test_an_alias_invokes_its_version(aws: LocalAws) -> None:
    """Lambda: "Create an alias for a Lambda function"."""
    aws.create_function("aliased", "def handler(event, context): return context.invoked_function_arn")
    client = aws.client("lambda")
    version = client.publish_version(FunctionName="aliased")["Version"]
    client.create_alias(FunctionName="aliased", Name="live", FunctionVersion=version)
    assert invoke(aws, "aliased", Qualifier="live")[0].endswith(":function:aliased:live")


def test_a_functions_environment_is_its_own(aws: LocalAws) -> None:
    """Lambda: "Working with Lambda environment variables": nothing of the launcher's environment leaks in."""
    aws.create_function(
        "environment", "import os\ndef handler(event, context): return dict(os.environ)",
        Environment={"Variables": {"OWN": "1", "AWS_REGION": "elsewhere"}},
    )  # fmt: skip
    environment = invoke(aws, "environment")[0]
    assert environment["OWN"] == "1"
    assert environment["AWS_REGION"] == "us-east-1"
    assert environment["AWS_ENDPOINT_URL"] == aws.endpoint_url
    assert not {"HOME", "GATEWAY_PORT", "STATE_DIR", "PYTHONPATH", "VIRTUAL_ENV"} & set(environment)
