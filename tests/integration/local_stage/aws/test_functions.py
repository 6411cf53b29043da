"""Lambda functions on the local AWS behave as AWS's."""

from __future__ import annotations

import base64
import json
import time
from concurrent.futures import ThreadPoolExecutor
from typing import Any

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
            "ZipFile": archive({"python/shared.py": "WHO = 'layer'", "python/extra.py": "WHO = 'layer'",
                                "python/jmespath.py": "WHO = 'layer'"})
        },
    )
    client.create_function(
        FunctionName="layered", Runtime="python3.13", Handler="index.handler", Role="arn:aws:iam::000000000000:role/r",
        Code={
            "ZipFile": archive({
                "index.py": "import shared, extra, jmespath\n"
                "def handler(e, c): return [shared.WHO, extra.WHO, jmespath.WHO]",
                "shared.py": "WHO = 'code'",
            })
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


def test_an_unimportable_handler_says_so(aws: LocalAws) -> None:
    """Lambda: "Troubleshoot deployment issues in Lambda", Runtime.ImportModuleError."""
    aws.create_function("unimportable", "import no_such_module\n")
    error, kind = invoke(aws, "unimportable")
    assert kind == "Unhandled"
    assert error["errorType"] == "Runtime.ImportModuleError"
    assert error["errorMessage"] == "Unable to import module 'index': No module named 'no_such_module'"
