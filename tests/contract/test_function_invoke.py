"""How Lambda's answers, refusals and silences reach a caller, over real HTTP."""

import json
import threading
from collections.abc import Iterator
from typing import Any

import grpc
import pytest

from gochat_aws.function_invoke import EventRefusedError, FunctionInvoker
from gochat_aws.invoke_channel import InvokeChannel, lambda_transport
from gochat_aws.sigv4 import Credentials
from tests.fakes.lambda_api import LambdaApi, serve_lambda_api

CREDENTIALS = Credentials(access_key_id="AKIDEXAMPLE", secret_access_key="secret", session_token="token")
ARN = "arn:aws:lambda:eu-west-1:000000000000:function:logic-rpc:live"


@pytest.fixture
def api() -> Iterator[LambdaApi]:
    with serve_lambda_api(lambda payload: b'{"code":0}') as running:
        yield running


@pytest.fixture
def invoker(api: LambdaApi) -> Iterator[FunctionInvoker]:
    made = FunctionInvoker(function=ARN, region="eu-west-1", endpoint=api.endpoint, credentials=lambda: CREDENTIALS)
    yield made
    made.close()


def call(invoker: FunctionInvoker, *, request: bytes = b"", timeout: float = 5.0) -> None:
    InvokeChannel(lambda_transport(invoker)).unary_unary("/gochat.Auth/Login")(request, timeout=timeout)


def status_of(invoker: FunctionInvoker, **options: Any) -> grpc.StatusCode:
    with pytest.raises(grpc.RpcError) as failed:
        call(invoker, **options)
    error: Any = failed.value
    code: grpc.StatusCode = error.code()
    return code


def test_an_alias_is_named_in_the_path_and_one_connection_serves_many_calls(
    api: LambdaApi, invoker: FunctionInvoker
) -> None:
    for _ in range(3):
        call(invoker)

    assert api.functions_invoked == [ARN] * 3
    assert api.connections == 1
    assert api.headers[0]["X-Amz-Security-Token"] == "token"


@pytest.mark.parametrize(
    ("status", "code"),
    [
        (429, grpc.StatusCode.UNAVAILABLE),
        (500, grpc.StatusCode.UNAVAILABLE),
        (503, grpc.StatusCode.UNAVAILABLE),
        (413, grpc.StatusCode.RESOURCE_EXHAUSTED),
        (403, grpc.StatusCode.INTERNAL),
        (404, grpc.StatusCode.INTERNAL),
    ],
)
def test_a_refusal_of_lambda_becomes_a_status(
    api: LambdaApi, invoker: FunctionInvoker, status: int, code: grpc.StatusCode
) -> None:
    api.status = status

    assert status_of(invoker) is code


@pytest.mark.parametrize(
    ("fault", "code"),
    [
        ({"errorType": "KeyError", "errorMessage": "'x'"}, grpc.StatusCode.INTERNAL),
        ({"errorType": "Sandbox.Timedout", "errorMessage": "RequestId: 1"}, grpc.StatusCode.DEADLINE_EXCEEDED),
        (
            {"errorMessage": "2026-11-23T07:00:00Z 1 Task timed out after 3.0 seconds"},
            grpc.StatusCode.DEADLINE_EXCEEDED,
        ),
        ({"errorType": "Runtime.ExitError", "errorMessage": "exit status 137"}, grpc.StatusCode.UNAVAILABLE),
    ],
)
def test_a_function_that_failed_becomes_a_status(
    api: LambdaApi, invoker: FunctionInvoker, fault: dict[str, str], code: grpc.StatusCode
) -> None:
    api.function_error = fault

    assert status_of(invoker) is code


def test_an_answer_that_is_no_envelope_is_internal(api: LambdaApi, invoker: FunctionInvoker) -> None:
    api.function = lambda payload: b"null"

    assert status_of(invoker) is grpc.StatusCode.INTERNAL


def test_silence_is_deadline_exceeded_and_never_tried_twice(api: LambdaApi, invoker: FunctionInvoker) -> None:
    api.hold = threading.Event()

    assert status_of(invoker, timeout=0.2) is grpc.StatusCode.DEADLINE_EXCEEDED

    api.hold.set()
    api.hold = None
    call(invoker)
    assert api.connections == 2


def test_a_connection_that_breaks_is_unavailable_and_never_tried_twice(
    api: LambdaApi, invoker: FunctionInvoker
) -> None:
    api.drop_next = 1

    assert status_of(invoker) is grpc.StatusCode.UNAVAILABLE

    assert api.connections == 1
    call(invoker)


def test_a_connection_that_was_closed_while_idle_is_replaced_unseen(api: LambdaApi, invoker: FunctionInvoker) -> None:
    call(invoker)
    sock = invoker._connection.sock if invoker._connection else None
    assert sock is not None
    sock.shutdown(2)

    call(invoker)

    assert api.connections == 2


def test_nobody_at_the_endpoint_is_unavailable() -> None:
    invoker = FunctionInvoker(
        function=ARN, region="eu-west-1", endpoint="http://127.0.0.1:1", credentials=lambda: CREDENTIALS
    )

    assert status_of(invoker) is grpc.StatusCode.UNAVAILABLE
    with pytest.raises(EventRefusedError):
        invoker.invoke_event(b"{}")


def test_a_request_beyond_six_megabytes_is_refused_unsent(api: LambdaApi, invoker: FunctionInvoker) -> None:
    assert status_of(invoker, request=b"x" * 6_000_000) is grpc.StatusCode.RESOURCE_EXHAUSTED

    assert api.functions_invoked == []


def test_an_event_is_handed_over_even_when_the_first_connection_breaks(
    api: LambdaApi, invoker: FunctionInvoker
) -> None:
    api.drop_next = 1

    invoker.invoke_event(json.dumps({"gochat": "dead_connections"}).encode())

    assert api.events == [{"gochat": "dead_connections"}]


def test_an_event_that_lambda_does_not_take_is_told(api: LambdaApi, invoker: FunctionInvoker) -> None:
    api.status = 429

    with pytest.raises(EventRefusedError, match="429"):
        invoker.invoke_event(b"{}")
