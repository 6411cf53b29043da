"""A grpc.Channel whose transport is Lambda Invoke: generated stubs run over it unchanged (unary calls)."""

import threading
import time
from collections.abc import Callable
from http import HTTPStatus
from typing import Any, NoReturn, Protocol

import grpc
import msgspec

from gochat_aws.function_invoke import (
    FunctionInvoker,
    InvocationConnectionError,
    InvocationReply,
    InvocationTimeoutError,
)
from gochat_aws.invoke_envelope import (
    MAX_MESSAGE_BYTES,
    CallEnvelope,
    ReplyEnvelope,
    pack_metadata,
    status_code,
    unpack_metadata,
)
from gochat_aws.invoke_future import InvokeFuture
from gochat_aws.invoke_outcome import InvokeRpcError

DEFAULT_TIMEOUT_S = 25.0
"""For a call without a deadline: below the 30 s after which an HTTP API gives up (API Gateway quotas)."""

_encode = msgspec.json.Encoder().encode
_decode_reply = msgspec.json.Decoder(ReplyEnvelope).decode
_STARTED_BUT_DIED = ("Runtime.ExitError", "Runtime.OutOfMemory", "Extension.Crash")


class InvokeTransport(Protocol):
    """Carries one envelope there and its answer back."""

    def __call__(self, payload: bytes, timeout_s: float) -> bytes:
        """Return the reply envelope. Raises InvokeRpcError with the status that the failure means."""
        ...


class InvokeChannel(grpc.Channel):
    """Give it to a generated stub: `AuthServiceStub(InvokeChannel(transport))`. Streams are UNIMPLEMENTED."""

    def __init__(self, transport: InvokeTransport) -> None:
        self._transport = transport

    def unary_unary(
        self,
        method: str,
        request_serializer: Callable[[Any], bytes] | None = None,
        response_deserializer: Callable[[bytes], Any] | None = None,
        _registered_method: bool | None = False,
    ) -> "_UnaryUnary":
        """Return the callable of one method; generated stubs pass the private last argument."""
        return _UnaryUnary(self._transport, method, request_serializer or bytes, response_deserializer or bytes)

    def _refuse_stream(self, method: str, *_: Any, **__: Any) -> Any:
        def refuse(*_: Any, **__: Any) -> NoReturn:
            raise InvokeRpcError(grpc.StatusCode.UNIMPLEMENTED, f"{method}: an invocation carries no stream")

        return refuse

    unary_stream = stream_unary = stream_stream = _refuse_stream

    def subscribe(
        self, callback: Callable[[grpc.ChannelConnectivity], None], try_to_connect: bool | None = False
    ) -> None:
        """Do nothing: there is no lasting connection whose state could change."""

    def unsubscribe(self, callback: Callable[[grpc.ChannelConnectivity], None]) -> None:
        """Do nothing, as `subscribe` did."""

    def close(self) -> None:
        """Do nothing: the transport belongs to whoever made it."""

    def __enter__(self) -> "InvokeChannel":
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


class _UnaryUnary(grpc.UnaryUnaryMultiCallable):  # type: ignore[type-arg]  # at run time it takes none
    def __init__(
        self,
        transport: InvokeTransport,
        method: str,
        serialize: Callable[[Any], bytes],
        deserialize: Callable[[bytes], Any],
    ) -> None:
        self._transport = transport
        self._method = method
        self._serialize = serialize
        self._deserialize = deserialize

    def __call__(self, request: Any, timeout: float | None = None, metadata: Any = None, *_: Any, **__: Any) -> Any:
        return self.with_call(request, timeout, metadata)[0]

    def with_call(
        self, request: Any, timeout: float | None = None, metadata: Any = None, *_: Any, **__: Any
    ) -> tuple[Any, InvokeRpcError]:
        timeout_s = DEFAULT_TIMEOUT_S if timeout is None else timeout
        deadline_s = time.monotonic() + timeout_s
        if timeout_s <= 0:
            raise InvokeRpcError(grpc.StatusCode.DEADLINE_EXCEEDED, "the deadline had passed before the call")
        body = self._serialize(request)
        if len(body) > MAX_MESSAGE_BYTES:
            raise InvokeRpcError(grpc.StatusCode.RESOURCE_EXHAUSTED, f"{len(body)} bytes are too many for a call")
        call = CallEnvelope(
            grpc=self._method, body=body, metadata=pack_metadata(metadata), timeout_ms=int(timeout_s * 1000)
        )
        try:
            reply = _decode_reply(self._transport(_encode(call), timeout_s))
        except msgspec.MsgspecError as error:
            raise InvokeRpcError(grpc.StatusCode.INTERNAL, "the answer is no gRPC envelope") from error
        if time.monotonic() > deadline_s:
            # A transport that can't be interrupted, as in process, answers late: gRPC has no late answers.
            raise InvokeRpcError(grpc.StatusCode.DEADLINE_EXCEEDED, f"no answer within {timeout_s:.1f} s")
        outcome = InvokeRpcError(
            status_code(reply.code),
            reply.details,
            initial=unpack_metadata(reply.initial),
            trailing=unpack_metadata(reply.trailing),
        )
        if reply.code != 0:
            raise outcome
        return self._deserialize(reply.body), outcome

    def future(self, request: Any, timeout: float | None = None, metadata: Any = None, *_: Any, **__: Any) -> Any:
        return InvokeFuture(lambda: self.with_call(request, timeout, metadata))


def lambda_transport(invoker: FunctionInvoker) -> InvokeTransport:
    """Carry envelopes by synchronous invocations of one function.

    What fails becomes the status that gRPC over HTTP/2 would show: throttling and an unreachable Lambda UNAVAILABLE, no
    answer in time DEADLINE_EXCEEDED, a function that raised INTERNAL, one that died UNAVAILABLE. Never retried here.
    There is one connection: the calls of several threads wait for each other.
    """
    one_at_a_time = threading.Lock()

    def carry(payload: bytes, timeout_s: float) -> bytes:
        deadline_s = time.monotonic() + timeout_s
        if not one_at_a_time.acquire(timeout=timeout_s):
            raise InvokeRpcError(grpc.StatusCode.DEADLINE_EXCEEDED, "another call held the connection")
        try:
            reply = invoker.invoke(payload, timeout_s=max(0.001, deadline_s - time.monotonic()))
        except InvocationTimeoutError as error:
            raise InvokeRpcError(grpc.StatusCode.DEADLINE_EXCEEDED, str(error)) from error
        except InvocationConnectionError as error:
            raise InvokeRpcError(grpc.StatusCode.UNAVAILABLE, "the function can't be reached") from error
        finally:
            one_at_a_time.release()
        if reply.status != HTTPStatus.OK:
            raise InvokeRpcError(_status_of_refusal(reply.status), f"Lambda answered {reply.status}")
        if reply.function_error:
            raise _function_failure(reply)
        return reply.payload

    return carry


def _status_of_refusal(status: int) -> grpc.StatusCode:
    if status == HTTPStatus.TOO_MANY_REQUESTS or status >= HTTPStatus.INTERNAL_SERVER_ERROR:
        return grpc.StatusCode.UNAVAILABLE
    if status == HTTPStatus.REQUEST_ENTITY_TOO_LARGE:
        return grpc.StatusCode.RESOURCE_EXHAUSTED
    # No function of that name, or not allowed to call it: a fault of the deployment, never of the client.
    return grpc.StatusCode.INTERNAL


class _FunctionFault(msgspec.Struct):
    error_type: str = msgspec.field(name="errorType", default="")
    error_message: str = msgspec.field(name="errorMessage", default="")


def _function_failure(reply: InvocationReply) -> InvokeRpcError:
    try:
        fault = msgspec.json.decode(reply.payload, type=_FunctionFault)
    except msgspec.MsgspecError:
        fault = _FunctionFault()
    if fault.error_type == "Sandbox.Timedout" or "Task timed out after" in fault.error_message:
        return InvokeRpcError(grpc.StatusCode.DEADLINE_EXCEEDED, "the function ran out of time")
    if fault.error_type in _STARTED_BUT_DIED:
        return InvokeRpcError(grpc.StatusCode.UNAVAILABLE, f"the function died: {fault.error_type}")
    return InvokeRpcError(grpc.StatusCode.INTERNAL, f"the function failed: {fault.error_type or 'no reason given'}")
