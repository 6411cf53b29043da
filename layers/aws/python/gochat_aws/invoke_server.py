"""Serves unmodified gRPC servicers from a Lambda handler; the far end of invoke_channel."""

import logging
import time
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import Any, NamedTuple, NoReturn

import grpc
import msgspec

from gochat_aws.invoke_envelope import (
    MAX_MESSAGE_BYTES,
    CallEnvelope,
    Metadata,
    ReplyEnvelope,
    pack_metadata,
    unpack_metadata,
)

_logger = logging.getLogger(__name__)
_encode = msgspec.json.Encoder().encode


class _AbortedError(Exception):
    """Leaves a servicer that called `abort`."""


HEALTH_METHOD = "/grpc.health.v1.Health/Check"
"""The standard health check (gRPC documentation, "Health Checking"), answered here for every function alike."""

SERVING = b"\x08\x01"
"""`HealthCheckResponse(status=SERVING)`."""


class CallDetails(NamedTuple):
    """What a server interceptor is told of a call, of the shape of `grpc.HandlerCallDetails`."""

    method: str
    invocation_metadata: Metadata


class InvokeServer:
    """Give it to `add_…Servicer_to_server`, and each invocation's event to `handle`. Unary methods only.

    The interceptors are grpc's own kind: the first one is the outermost.
    """

    def __init__(self, interceptors: "Sequence[grpc.ServerInterceptor[Any, Any]]" = ()) -> None:
        self._methods: dict[str, grpc.RpcMethodHandler[Any, Any]] = {}
        find: Callable[[Any], grpc.RpcMethodHandler[Any, Any] | None] = self._registered
        for interceptor in reversed(interceptors):
            find = partial(interceptor.intercept_service, find)
        self.find_handler = find
        """Return what answers a call, interceptors included, by its `grpc.HandlerCallDetails`; None for an unknown
        method."""

    def add_registered_method_handlers(
        self, service_name: str, method_handlers: Mapping[str, "grpc.RpcMethodHandler[Any, Any]"]
    ) -> None:
        """Take the methods of one service, as generated code hands them over."""
        for name, handler in method_handlers.items():
            self._methods[f"/{service_name}/{name}"] = handler

    def add_generic_rpc_handlers(self, generic_rpc_handlers: Sequence[object]) -> None:
        """Do nothing: generated code registers the same methods by `add_registered_method_handlers` as well."""

    def method_names(self) -> list[str]:
        """List the methods, each as `/package.Service/Method`."""
        return list(self._methods)

    def _registered(self, details: Any) -> "grpc.RpcMethodHandler[Any, Any] | None":
        return self._methods.get(details.method)

    def handle(self, event: Mapping[str, Any]) -> dict[str, Any]:
        """Answer one event with what Lambda is to return. Never raises for what a servicer does.

        Raises ValueError for an event that is no envelope: it did not come from an InvokeChannel.
        """
        try:
            call = msgspec.convert(event, CallEnvelope)
        except msgspec.ValidationError as fault:
            raise ValueError(f"not a gRPC envelope: {fault}") from fault
        answer: dict[str, Any] = msgspec.to_builtins(self._answer(call))
        return answer

    def handle_payload(self, payload: bytes, timeout_s: float) -> bytes:  # noqa: ARG002  # travels in the envelope
        """Answer an envelope in this process: an InvokeTransport without a Lambda between."""
        return _encode(self.handle(msgspec.json.decode(payload)))

    def _answer(self, call: CallEnvelope) -> ReplyEnvelope:
        if call.grpc == HEALTH_METHOD:
            # A function that runs serves: the boundary is left out, so no store and no token is asked.
            return ReplyEnvelope(body=SERVING)
        context = InvokeContext(call)
        handler = self.find_handler(CallDetails(method=call.grpc, invocation_metadata=context.invocation_metadata()))
        if handler is None or handler.unary_unary is None:
            return _failure(grpc.StatusCode.UNIMPLEMENTED, f"Method not found: {call.grpc}")
        try:
            request = (handler.request_deserializer or bytes)(call.body)
        except Exception:  # noqa: BLE001  # protobuf raises what its backend likes; the caller sent it, the caller is told
            return _failure(grpc.StatusCode.INTERNAL, "the request is no message of this method")
        try:
            response = handler.unary_unary(request, context)
        except _AbortedError:
            response = None
        except Exception:
            # The boundary of a call, as in grpc's own server: what it never told a client stays in the log.
            _logger.exception("servicer failed", extra={"method": call.grpc})
            context.set_code(grpc.StatusCode.UNKNOWN)
            context.set_details("Exception calling application")
        reply = context.reply(b"")
        if reply.code == 0:
            reply = context.reply((handler.response_serializer or bytes)(response))
            if len(reply.body) > MAX_MESSAGE_BYTES:
                return _failure(grpc.StatusCode.RESOURCE_EXHAUSTED, f"{len(reply.body)} bytes are too many to answer")
        return reply


class InvokeContext(grpc.ServicerContext):
    """What a servicer sees of its call: metadata in, status and metadata out, the time left."""

    def __init__(self, call: CallEnvelope) -> None:
        self._metadata = unpack_metadata(call.metadata)
        self._deadline_s = None if call.timeout_ms is None else time.monotonic() + call.timeout_ms / 1000
        self._code = grpc.StatusCode.OK
        self._details = ""
        self._initial: tuple[tuple[str, str], ...] = ()
        self._trailing: tuple[tuple[str, str], ...] = ()

    def reply(self, body: bytes) -> ReplyEnvelope:
        """Return the envelope of the answer as things stand."""
        return ReplyEnvelope(
            code=self._code.value[0], details=self._details, body=body, initial=self._initial, trailing=self._trailing
        )

    def invocation_metadata(self) -> Any:
        """Return the metadata that the client sent."""
        return self._metadata

    def abort(self, code: grpc.StatusCode, details: str) -> NoReturn:
        """End the call with this status. OK is refused, as in grpc: an abort is never a success."""
        self._code = grpc.StatusCode.UNKNOWN if code is grpc.StatusCode.OK else code
        self._details = details
        raise _AbortedError

    def abort_with_status(self, status: grpc.Status) -> NoReturn:
        """End the call with this status and its trailing metadata."""
        self.set_trailing_metadata(status.trailing_metadata)
        self.abort(status.code, status.details)

    def set_code(self, code: grpc.StatusCode) -> None:
        """Set the status that goes with the answer."""
        self._code = code

    def set_details(self, details: str) -> None:
        """Set the text beside the status."""
        self._details = details

    def code(self) -> grpc.StatusCode:
        """Return the status as it stands."""
        return self._code

    def details(self) -> str:
        """Return the text beside the status."""
        return self._details

    def send_initial_metadata(self, initial_metadata: Any) -> None:
        """Send metadata; as an invocation has one answer, it arrives with that."""
        self._initial = pack_metadata(initial_metadata)

    def set_trailing_metadata(self, trailing_metadata: Any) -> None:
        """Set the metadata that goes with the status."""
        self._trailing = pack_metadata(trailing_metadata)

    def trailing_metadata(self) -> Any:
        """Return the metadata that goes with the status."""
        return unpack_metadata(self._trailing)

    def time_remaining(self) -> Any:
        """Return the seconds until the client gives up; None without a deadline."""
        return None if self._deadline_s is None else max(0.0, self._deadline_s - time.monotonic())

    def is_active(self) -> bool:
        """Return whether the client still waits."""
        return self._deadline_s is None or time.monotonic() < self._deadline_s

    def peer(self) -> str:
        """Return a name for the other side: who may invoke is settled by IAM."""
        return "lambda:invoke"

    def peer_identities(self) -> None:
        """Return None: there is no TLS identity."""

    def peer_identity_key(self) -> None:
        """Return None: there is no TLS identity."""

    def auth_context(self) -> Mapping[str, bytes]:
        """Return nothing: there is no TLS identity."""
        return {}

    def add_callback(self, callback: Callable[[], None]) -> bool:  # noqa: ARG002  # grpc's interface
        """Return False: an invocation can't be cancelled, so nothing would ever call back."""
        return False

    def cancel(self) -> bool:
        """Return False: an invocation can't be cancelled."""
        return False


def _failure(code: grpc.StatusCode, details: str) -> ReplyEnvelope:
    return ReplyEnvelope(code=code.value[0], details=details)
