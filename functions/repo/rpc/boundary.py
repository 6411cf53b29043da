"""The one boundary of RepoService: what an error becomes, one log line a call."""

from typing import Any

import grpc
from aws_lambda_powertools import Logger

from gochat_aws.boundary_interceptor import Behaviour
from gochat_aws.rpc_errors import abort_with
from gochat_core.clock import Clock
from gochat_core.errors import GochatError, InternalError
from gochat_core.metrics import Metrics
from gochat_core.tracing import REQUEST_ID_HEADER, TRACE_HEADER


class Boundary:
    """Wrap the methods of the servicer, which raises errors and knows nothing of logs."""

    def __init__(self, *, clock: Clock, logger: Logger, metrics: Metrics) -> None:
        self._clock = clock
        self._logger = logger
        self._metrics = metrics

    def wrap(self, path: str, behaviour: Behaviour) -> Behaviour:
        """Return the method as the server is to call it; `path` is `/package.Service/Method`."""
        method = path.rsplit("/", 1)[-1]

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
