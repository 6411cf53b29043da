"""The one boundary of every gRPC call: who calls, what an error becomes, one log line, metric and segment."""

import secrets
from typing import Any

import grpc
from aws_lambda_powertools import Logger

from gochat_aws.guarded_server import Behaviour
from gochat_aws.rpc_errors import abort_with
from gochat_core.clock import Clock
from gochat_core.errors import GochatError, InternalError, Unauthenticated
from gochat_core.metrics import Metrics
from gochat_core.tokens import Identity, TokenVerifier
from gochat_core.tracing import REQUEST_ID_HEADER, TRACE_HEADER, Tracer, parse_trace
from gochat_repo.sessions import SessionStore
from logic.rpc.calls import Call, begin_call

OPEN_METHODS = frozenset({
    "/gochat.logic.v1.AuthService/Register",
    "/gochat.logic.v1.AuthService/Authenticate",
    "/gochat.logic.v1.AuthService/RefreshSession",
})  # fmt: skip
"""What is answered without a token; everything else, also what will be added, needs one."""

AUTHORIZATION = "authorization"
_BEARER = "bearer "


class Boundary:
    """Wrap the methods of every servicer; the servicers themselves raise errors and know the caller."""

    def __init__(
        self,
        *,
        verifier: TokenVerifier,
        sessions: SessionStore,
        clock: Clock,
        logger: Logger,
        metrics: Metrics,
        tracer: Tracer,
    ) -> None:
        self._verifier = verifier
        self._sessions = sessions
        self._clock = clock
        self._logger = logger
        self._metrics = metrics
        self._tracer = tracer

    def wrap(self, method: str, behaviour: Behaviour) -> Behaviour:
        """Return the method as the server is to call it; `method` is `/package.Service/Method`."""

        def answer(request: Any, context: grpc.ServicerContext) -> Any:
            started_at_ms = self._clock.now_ms()
            metadata = {key: value for key, value in context.invocation_metadata() if isinstance(value, str)}
            call = Call(
                method=method,
                request_id=metadata.get(REQUEST_ID_HEADER) or secrets.token_hex(16),
                trace=parse_trace(metadata.get(TRACE_HEADER), now_ms=started_at_ms),
            )
            begin_call(call)
            error: GochatError | None = None
            try:
                if method not in OPEN_METHODS:
                    call.identity = self._identify(metadata)
                return behaviour(request, context)
            except GochatError as told:
                error = told
            except Exception:
                # The boundary of a call: what nobody foresaw is logged here, and the client is told nothing of it.
                self._logger.exception("call failed", extra={"method": method, "request_id": call.request_id})
                error = InternalError()
            finally:
                self._record(call, error, started_at_ms)
            return abort_with(context, error)

        return answer

    def _identify(self, metadata: dict[str, str]) -> Identity:
        """Verify the bearer token once more: the function's policy, not its caller, is what it can rely on."""
        authorization = metadata.get(AUTHORIZATION, "")
        if not authorization.lower().startswith(_BEARER):
            raise Unauthenticated
        identity = self._verifier.verify_access_token(authorization[len(_BEARER) :].strip())
        if not self._sessions.is_active(identity.user_id, identity.session_id, now_ms=self._clock.now_ms()):
            raise Unauthenticated
        return identity

    def _record(self, call: Call, error: GochatError | None, started_at_ms: int) -> None:
        ended_at_ms = self._clock.now_ms()
        code = error.code if error else call.outcome
        method = call.method.rsplit("/", 1)[-1]
        self._logger.info(
            "call",
            extra={
                "method": method,
                "code": code,
                "duration_ms": ended_at_ms - started_at_ms,
                "request_id": call.request_id,
                "trace_id": call.trace.root,
                "user_id": str(call.identity.user_id) if call.identity else None,
            },
        )
        self._metrics.emit(
            {
                "CallDuration": ("Milliseconds", ended_at_ms - started_at_ms),
                "CallRefused": ("Count", int(error is not None)),
                "CallFailed": ("Count", int(error is not None and error.status >= 500)),
            },
            method=method,
            code=code,
        )
        self._tracer.segment(
            call.trace, method, started_at_ms=started_at_ms, ended_at_ms=ended_at_ms, request_id=call.request_id
        )
