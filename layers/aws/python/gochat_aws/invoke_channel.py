"""A grpc.Channel whose transport is Lambda Invoke: generated stubs run over it unchanged (unary calls)."""

from collections.abc import Callable
from http import HTTPStatus
from typing import Any, NoReturn, Protocol

import grpc
import msgspec

from gochat_aws.function_invoke import (
    MAX_PAYLOAD_BYTES,
    FunctionInvoker,
    InvocationConnectionError,
    InvocationReply,
    InvocationTimeoutError,
)
from gochat_aws.invoke_envelope import (
    CallEnvelope,
    Metadata,
    ReplyEnvelope,
    pack_metadata,
    status_code,
    unpack_metadata,
)

DEFAULT_TIMEOUT_S = 25.0
"""For a call without a deadline: below the 30 s after which an HTTP API gives up (API Gateway quotas)."""

_NO_METADATA: Metadata = ()
_encode = msgspec.json.Encoder().encode
_decode_reply = msgspec.json.Decoder(ReplyEnvelope).decode
_STARTED_BUT_DIED = ("Runtime.ExitError", "Runtime.OutOfMemory", "Extension.Crash")


class InvokeTransport(Protocol):
    """Carries one envelope there and its answer back."""

    def __call__(self, payload: bytes, timeout_s: float) -> bytes:
        """Return the reply envelope. Raises InvokeRpcError with the status that the failure means."""
        ...


class InvokeRpcError(grpc.RpcError, grpc.Call):
    """The outcome of a call as grpc presents it: raised when it failed, handed out by `with_call` when it did not."""

    def __init__(
        self,
        code: grpc.StatusCode,
        details: str,
        *,
        initial: Metadata = _NO_METADATA,
        trailing: Metadata = _NO_METADATA,
    ) -> None:
        super().__init__(f"{code.name}: {details}")
        self._code = code
        self._details = details
        self._initial = initial
        self._trailing = trailing

    def code(self) -> grpc.StatusCode:
        """Return the status."""
        return self._code

    def details(self) -> str:
        """Return the text beside the status."""
        return self._details

    def initial_metadata(self) -> Any:
        """Return what the servicer sent ahead of its answer."""
        return self._initial

    def trailing_metadata(self) -> Any:
        """Return what the servicer sent after its answer."""
        return self._trailing

    def is_active(self) -> bool:
        """Return False: a call is over when its outcome exists."""
        return False

    def time_remaining(self) -> Any:
        """Return None: there is nothing left to wait for."""
        return None

    def cancel(self) -> bool:
        """Return False: it is too late to cancel."""
        return False

    def add_callback(self, callback: Callable[[], None]) -> bool:  # noqa: ARG002  # grpc's interface
        """Return False, as grpc does for a call that is over: the callback will not be called."""
        return False


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
        if timeout_s <= 0:
            raise InvokeRpcError(grpc.StatusCode.DEADLINE_EXCEEDED, "the deadline had passed before the call")
        call = CallEnvelope(
            grpc=self._method,
            body=self._serialize(request),
            metadata=pack_metadata(metadata),
            timeout_ms=int(timeout_s * 1000),
        )
        payload = _encode(call)
        if len(payload) > MAX_PAYLOAD_BYTES:
            raise InvokeRpcError(grpc.StatusCode.RESOURCE_EXHAUSTED, f"{len(payload)} bytes are too many for a call")
        try:
            reply = _decode_reply(self._transport(payload, timeout_s))
        except msgspec.MsgspecError as error:
            raise InvokeRpcError(grpc.StatusCode.INTERNAL, "the answer is no gRPC envelope") from error
        outcome = InvokeRpcError(
            status_code(reply.code),
            reply.details,
            initial=unpack_metadata(reply.initial),
            trailing=unpack_metadata(reply.trailing),
        )
        if reply.code != 0:
            raise outcome
        return self._deserialize(reply.body), outcome

    def future(self, *_: Any, **__: Any) -> NoReturn:
        raise InvokeRpcError(grpc.StatusCode.UNIMPLEMENTED, "an invocation is waited for: use threads to run several")


def lambda_transport(invoker: FunctionInvoker) -> InvokeTransport:
    """Carry envelopes by synchronous invocations of one function.

    What fails becomes the status that gRPC over HTTP/2 would show: throttling and an unreachable Lambda UNAVAILABLE, no
    answer in time DEADLINE_EXCEEDED, a function that raised INTERNAL, one that died UNAVAILABLE. Never retried.
    """

    def carry(payload: bytes, timeout_s: float) -> bytes:
        try:
            reply = invoker.invoke(payload, timeout_s=timeout_s)
        except InvocationTimeoutError as error:
            raise InvokeRpcError(grpc.StatusCode.DEADLINE_EXCEEDED, str(error)) from error
        except InvocationConnectionError as error:
            raise InvokeRpcError(grpc.StatusCode.UNAVAILABLE, "the function can't be reached") from error
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
