"""One contract for every way a gRPC call can travel: in process, in a Lambda invocation, over a real grpc.server."""

import time
from collections.abc import Iterator
from concurrent import futures
from typing import Any

import grpc
import pytest

from gochat_aws.function_invoke import FunctionInvoker
from gochat_aws.invoke_channel import InvokeChannel, lambda_transport
from gochat_aws.invoke_server import InvokeServer
from gochat_aws.sigv4 import Credentials
from tests.fakes.lambda_api import serve_lambda_api

SERVICE = "gochat.test.Echo"
CREDENTIALS = Credentials(access_key_id="AKIDEXAMPLE", secret_access_key="secret")


class EchoServicer:
    """A servicer as any other: it knows nothing of what carries its calls."""

    def __init__(self) -> None:
        self.remaining_s: float | None = None

    def echo(self, request: bytes, context: grpc.ServicerContext) -> bytes:
        seen = {key: value for key, value in context.invocation_metadata() if not key.startswith("user-agent")}
        context.send_initial_metadata((("x-first", "before"),))
        context.set_trailing_metadata((("x-request-id", str(seen.get("x-request-id"))), ("x-raw-bin", b"\x00\xff")))
        self.remaining_s = context.time_remaining()
        return request

    def abort(self, request: bytes, context: grpc.ServicerContext) -> bytes:
        context.set_trailing_metadata((("x-gochat-code", "username_taken"),))
        context.abort(grpc.StatusCode.ALREADY_EXISTS, "Grüße: the username is taken")

    def set_code(self, request: bytes, context: grpc.ServicerContext) -> bytes:
        context.set_code(grpc.StatusCode.NOT_FOUND)
        context.set_details("there is none")
        return b"ignored"

    def fail(self, request: bytes, context: grpc.ServicerContext) -> bytes:
        raise ZeroDivisionError

    def sleep(self, request: bytes, context: grpc.ServicerContext) -> bytes:
        time.sleep(float(request))
        return b"late"


def register(servicer: EchoServicer, server: Any) -> None:
    handlers = {
        name: grpc.unary_unary_rpc_method_handler(getattr(servicer, method))
        for name, method in (
            ("Echo", "echo"),
            ("Abort", "abort"),
            ("SetCode", "set_code"),
            ("Fail", "fail"),
            ("Sleep", "sleep"),
        )
    }
    server.add_generic_rpc_handlers((grpc.method_handlers_generic_handler(SERVICE, handlers),))
    server.add_registered_method_handlers(SERVICE, handlers)


@pytest.fixture
def servicer() -> EchoServicer:
    return EchoServicer()


@pytest.fixture(params=["in process", "lambda invoke", "grpc server"])
def channel(request: pytest.FixtureRequest, servicer: EchoServicer) -> Iterator[grpc.Channel]:
    if request.param == "grpc server":
        real = grpc.server(futures.ThreadPoolExecutor(max_workers=2))
        register(servicer, real)
        port = real.add_insecure_port("127.0.0.1:0")
        real.start()
        with grpc.insecure_channel(f"127.0.0.1:{port}") as over_http2:
            yield over_http2
        real.stop(None).wait()
        return
    server = InvokeServer()
    register(servicer, server)
    if request.param == "in process":
        yield InvokeChannel(server.handle_payload)
        return
    with serve_lambda_api(lambda payload: server.handle_payload(payload, 0)) as api:
        invoker = FunctionInvoker(
            function="logic-rpc", region="eu-west-1", endpoint=api.endpoint, credentials=lambda: CREDENTIALS
        )
        yield InvokeChannel(lambda_transport(invoker))
        invoker.close()


def call(channel: grpc.Channel, method: str, request: bytes = b"", **options: Any) -> tuple[bytes, Any]:
    callable_ = channel.unary_unary(f"/{SERVICE}/{method}", lambda b: b, lambda b: b)
    answer: tuple[bytes, Any] = callable_.with_call(request, **{"timeout": 5.0, **options})
    return answer


def test_an_answer_comes_back_with_its_metadata(channel: grpc.Channel) -> None:
    answer, outcome = call(
        channel, "Echo", bytes(range(256)), metadata=(("x-request-id", "r-1"), ("x-blob-bin", b"\xfe"))
    )

    assert answer == bytes(range(256))
    assert outcome.code() is grpc.StatusCode.OK
    assert ("x-first", "before") in [(d.key, d.value) for d in outcome.initial_metadata()]
    trailing = {d.key: d.value for d in outcome.trailing_metadata()}
    assert trailing["x-request-id"] == "r-1"
    assert trailing["x-raw-bin"] == b"\x00\xff"


def test_the_servicer_sees_how_long_its_client_waits(channel: grpc.Channel, servicer: EchoServicer) -> None:
    call(channel, "Echo", timeout=3.0)

    assert servicer.remaining_s is not None
    # A grpc.Server reads the timeout from the wire, where it is rounded up.
    assert 2.0 < servicer.remaining_s < 3.1


def test_an_abort_arrives_with_code_details_and_trailing_metadata(channel: grpc.Channel) -> None:
    with pytest.raises(grpc.RpcError) as refused:
        call(channel, "Abort")

    error: Any = refused.value
    assert error.code() is grpc.StatusCode.ALREADY_EXISTS
    assert error.details() == "Grüße: the username is taken"
    assert ("x-gochat-code", "username_taken") in [(d.key, d.value) for d in error.trailing_metadata()]


def test_a_status_set_beside_an_answer_makes_it_a_failure(channel: grpc.Channel) -> None:
    with pytest.raises(grpc.RpcError) as refused:
        call(channel, "SetCode")

    error: Any = refused.value
    assert (error.code(), error.details()) == (grpc.StatusCode.NOT_FOUND, "there is none")


def test_a_servicer_that_raises_is_unknown(channel: grpc.Channel) -> None:
    with pytest.raises(grpc.RpcError) as failed:
        call(channel, "Fail")

    error: Any = failed.value
    assert error.code() is grpc.StatusCode.UNKNOWN


def test_a_method_that_nobody_serves_is_unimplemented(channel: grpc.Channel) -> None:
    with pytest.raises(grpc.RpcError) as refused:
        call(channel, "Absent")

    error: Any = refused.value
    assert error.code() is grpc.StatusCode.UNIMPLEMENTED


def test_an_interceptor_adds_its_metadata(channel: grpc.Channel) -> None:
    class AddRequestId(grpc.UnaryUnaryClientInterceptor):  # type: ignore[type-arg]  # at run time it takes none
        def intercept_unary_unary(self, continuation: Any, details: Any, request: Any) -> Any:
            return continuation(details._replace(metadata=(("x-request-id", "added"),)), request)

    intercepted = grpc.intercept_channel(channel, AddRequestId())

    _, outcome = call(intercepted, "Echo")

    assert ("x-request-id", "added") in [(d.key, d.value) for d in outcome.trailing_metadata()]


@pytest.mark.parametrize("channel", ["lambda invoke", "grpc server"], indirect=True)
def test_an_answer_after_the_deadline_is_deadline_exceeded(channel: grpc.Channel) -> None:
    with pytest.raises(grpc.RpcError) as failed:
        call(channel, "Sleep", b"1.0", timeout=0.2)

    error: Any = failed.value
    assert error.code() is grpc.StatusCode.DEADLINE_EXCEEDED
