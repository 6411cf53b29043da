"""Lambda functions on the local AWS behave as AWS's."""

from __future__ import annotations

import time
from concurrent.futures import ThreadPoolExecutor

from botocore.exceptions import ClientError

from .conftest import LocalAws, archive
from .functions import invoke


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


def test_an_unimportable_handler_says_so(aws: LocalAws) -> None:
    """Lambda: "Troubleshoot deployment issues in Lambda", Runtime.ImportModuleError."""
    aws.create_function("unimportable", "import no_such_module\n")
    error, kind = invoke(aws, "unimportable")
    assert kind == "Unhandled"
    assert error["errorType"] == "Runtime.ImportModuleError"
    assert error["errorMessage"] == "Unable to import module 'index': No module named 'no_such_module'"


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
