"""The one boundary of RepoService: what an error becomes, one log line a call."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import grpc
from aws_lambda_powertools import Logger

from gochat_aws.invoke_server import InvokeServer
from gochat_aws.rpc_errors import abort_with
from gochat_core.clock import Clock
from gochat_core.errors import GochatError, InternalError
from gochat_core.metrics import Metrics
from gochat_core.tracing import REQUEST_ID_HEADER, TRACE_HEADER

Behaviour = Callable[[Any, grpc.ServicerContext], Any]


class GuardedServer:
    """Hand methods on to a server, each with the boundary around it."""

    def __init__(self, server: InvokeServer, *, clock: Clock, logger: Logger, metrics: Metrics) -> None:
        self._server = server
        self._clock = clock
        self._logger = logger
        self._metrics = metrics

    def add_registered_method_handlers(
        self, service_name: str, method_handlers: Mapping[str, "grpc.RpcMethodHandler[Any, Any]"]
    ) -> None:
        """Take the methods of one service, as generated code hands them over."""
        guarded = {
            name: grpc.unary_unary_rpc_method_handler(
                self._wrap(name, handler.unary_unary),
                request_deserializer=handler.request_deserializer,
                response_serializer=handler.response_serializer,
            )
            for name, handler in method_handlers.items()
            if handler.unary_unary is not None  # an invocation carries no stream
        }
        self._server.add_registered_method_handlers(service_name, guarded)

    def add_generic_rpc_handlers(self, generic_rpc_handlers: Sequence[object]) -> None:
        """Do nothing: generated code registers the same methods by `add_registered_method_handlers` as well."""

    def _wrap(self, method: str, behaviour: Behaviour) -> Behaviour:
        def answer(request: Any, context: grpc.ServicerContext) -> Any:
            started_at_ms = self._clock.now_ms()
            error: GochatError | None = None
            try:
                return behaviour(request, context)
            except GochatError as told:
                error = told
            except Exception:
                # The boundary of a call: what nobody foresaw is logged here, and the caller is told nothing of it.
                self._logger.exception("call failed", extra={"method": method})
                error = InternalError()
            finally:
                self._record(method, context, error, self._clock.now_ms() - started_at_ms)
            return abort_with(context, error)

        return answer

    def _record(self, method: str, context: grpc.ServicerContext, error: GochatError | None, duration_ms: int) -> None:
        metadata = dict(context.invocation_metadata() or ())
        code = error.code if error else "ok"
        self._logger.info(
            "call",
            extra={
                "method": method,
                "code": code,
                "duration_ms": duration_ms,
                "request_id": metadata.get(REQUEST_ID_HEADER),
                "trace": metadata.get(TRACE_HEADER),
            },
        )
        self._metrics.emit(
            {
                "CallDuration": ("Milliseconds", duration_ms),
                "CallFailed": ("Count", int(error is not None and error.status >= 500)),
            },
            method=method,
            code=code,
        )
