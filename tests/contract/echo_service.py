"""A gRPC service for tests of what carries calls, with a .proto's marks of what is idempotent."""

import re
import threading
import time
from collections.abc import Mapping
from typing import Any

import grpc
from google.protobuf import descriptor_pb2, descriptor_pool, empty_pb2

from gochat_aws.boundary_interceptor import Behaviour
from gochat_aws.rpc_errors import abort_with
from gochat_core.errors import FieldFault, Forbidden, GochatError, InvalidRequest, Unauthenticated, Unavailable
from gochat_core.tracing import REQUEST_ID_HEADER, TRACE_HEADER

SERVICE = "gochat.test.Echo"
TOKEN = "Bearer of-alice"

METHODS = {
    "Echo": "NO_SIDE_EFFECTS",
    "Abort": "NO_SIDE_EFFECTS",
    "Count": "IDEMPOTENCY_UNKNOWN",
    "Fail": "NO_SIDE_EFFECTS",
    "Falter": "IDEMPOTENT",
    "FalterOnce": "IDEMPOTENCY_UNKNOWN",
    "Grow": "NO_SIDE_EFFECTS",
    "Refuse": "IDEMPOTENT",
    "SetCode": "NO_SIDE_EFFECTS",
    "Sleep": "IDEMPOTENT",
}


class Echo:
    """A servicer as any other: it knows nothing of what carries its calls."""

    def __init__(self) -> None:
        self.remaining_s: float | None = None
        self.counts: dict[str, int] = {}
        self.falls_for = 0
        self.woken = threading.Event()

    def echo(self, request: bytes, context: grpc.ServicerContext) -> bytes:
        seen = dict(context.invocation_metadata() or ())
        context.send_initial_metadata((("x-first", "before"),))
        told = [(key, seen[key]) for key in (REQUEST_ID_HEADER, TRACE_HEADER, "x-blob-bin") if key in seen]
        context.set_trailing_metadata((*told, ("x-raw-bin", b"\x00\xff")))
        self.remaining_s = context.time_remaining()
        return request

    def abort(self, request: bytes, context: grpc.ServicerContext) -> bytes:
        context.set_trailing_metadata((("x-gochat-code", "username_taken"),))
        context.abort(grpc.StatusCode.ALREADY_EXISTS, "Grüße: the username is taken")

    def count(self, request: bytes, context: grpc.ServicerContext) -> bytes:
        return str(self._count("Count")).encode()

    def fail(self, request: bytes, context: grpc.ServicerContext) -> bytes:
        raise ZeroDivisionError

    def falter(self, request: bytes, context: grpc.ServicerContext) -> bytes:
        if self._count("Falter") <= self.falls_for:
            context.abort(grpc.StatusCode.UNAVAILABLE, "not now")
        return b"stood"

    def falter_once(self, request: bytes, context: grpc.ServicerContext) -> bytes:
        self._count("FalterOnce")
        context.abort(grpc.StatusCode.UNAVAILABLE, "not now")

    def grow(self, request: bytes, context: grpc.ServicerContext) -> bytes:
        return b"x" * int(request)

    def refuse(self, request: bytes, context: grpc.ServicerContext) -> bytes:
        self._count("Refuse")
        refusals: dict[bytes, GochatError] = {
            b"invalid": InvalidRequest(faults=[FieldFault(field="größe", message="must be at most 3 ✓")]),
            b"forbidden": Forbidden(),
            b"unavailable": Unavailable("the database resumes", retry_after_ms=20_000),
        }
        raise refusals[request]

    def set_code(self, request: bytes, context: grpc.ServicerContext) -> bytes:
        context.set_code(grpc.StatusCode.NOT_FOUND)
        context.set_details("there is none")
        return b"ignored"

    def sleep(self, request: bytes, context: grpc.ServicerContext) -> bytes:
        time.sleep(float(request))
        self.woken.set()
        return b"late"

    def _count(self, method: str) -> int:
        self.counts[method] = self.counts.get(method, 0) + 1
        return self.counts[method]


class Door:
    """A boundary as the functions have them: checks who calls, renders errors, keeps one line a call."""

    def __init__(self) -> None:
        self.lines: list[tuple[str, str, str | None]] = []

    def wrap(self, method: str, behaviour: Behaviour) -> Behaviour:
        """Return the method as the server is to call it."""

        def answer(request: Any, context: grpc.ServicerContext) -> Any:
            metadata: Mapping[str, Any] = dict(context.invocation_metadata() or ())
            outcome = "failed"
            try:
                if metadata.get("authorization") != TOKEN:
                    raise Unauthenticated
                answered = behaviour(request, context)
                outcome = "ok"
            except GochatError as error:
                outcome = error.code
                return abort_with(context, error)
            finally:
                self.lines.append((method, outcome, metadata.get(REQUEST_ID_HEADER)))
            return answered

        return answer


def register(servicer: Echo, server: Any) -> None:
    """Add the servicer to a server as generated code does."""
    behaviours = {name: getattr(servicer, re.sub(r"(?<!^)([A-Z])", r"_\1", name).lower()) for name in METHODS}
    handlers = {name: grpc.unary_unary_rpc_method_handler(behaviour) for name, behaviour in behaviours.items()}
    server.add_generic_rpc_handlers((grpc.method_handlers_generic_handler(SERVICE, handlers),))
    server.add_registered_method_handlers(SERVICE, handlers)


def declare() -> None:
    """Make the contract known, as importing a generated stub does; twice is once."""
    file = descriptor_pb2.FileDescriptorProto(name="tests/echo.proto", package="gochat.test", syntax="proto3")
    file.dependency.append(empty_pb2.DESCRIPTOR.name)
    service = file.service.add(name="Echo")
    for name, level in METHODS.items():
        method = service.method.add(
            name=name, input_type=".google.protobuf.Empty", output_type=".google.protobuf.Empty"
        )
        method.options.idempotency_level = descriptor_pb2.MethodOptions.IdempotencyLevel.Value(level)
    descriptor_pool.Default().AddSerializedFile(file.SerializeToString())
