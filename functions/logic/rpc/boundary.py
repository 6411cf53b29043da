"""The one boundary of every gRPC call: who calls, how fast, how often; errors, one log line, metric and segment."""

import secrets
from collections.abc import Callable, Mapping
from typing import Any

import grpc
from aws_lambda_powertools import Logger

from gochat_aws.boundary_interceptor import Behaviour
from gochat_aws.rpc_errors import abort_with
from gochat_contracts.call_metadata import IDEMPOTENCY_KEY
from gochat_core.clock import Clock
from gochat_core.errors import ConversationNotFound, GochatError, InternalError, RateLimited, Unauthenticated
from gochat_core.ids import parse_conversation_id
from gochat_core.metrics import Metrics
from gochat_core.tokens import TokenVerifier
from gochat_core.tracing import REQUEST_ID_HEADER, TRACE_HEADER, Tracer, parse_trace
from gochat_core.types import ConversationId
from gochat_repo.admission import Gate
from logic.rpc.calls import Call, begin_call
from logic.rpc.keyed_calls import KEYED_METHODS, SELF_ENDING_METHODS, KeyedCalls

OPEN_METHODS = frozenset({
    "/gochat.logic.v1.AuthService/Register",
    "/gochat.logic.v1.AuthService/Authenticate",
    "/gochat.logic.v1.AuthService/RefreshSession",
    "/gochat.logic.v1.MediaService/GetMedia",
})  # fmt: skip
"""What is answered without a token; everything else, also what will be added, needs one."""

LIMITED_METHODS = frozenset({"/gochat.logic.v1.MessageService/SendMessage"})
"""What spends a token of the conversation that its request names, from the bucket of the WebSocket door."""

AUTHORIZATION = "authorization"
_BEARER = "bearer "


class Boundary:
    """Wrap the methods of every servicer; the servicers themselves raise errors and know the caller."""

    def __init__(
        self,
        *,
        verifier: TokenVerifier,
        gate: Gate,
        keyed: KeyedCalls,
        clock: Clock,
        logger: Logger,
        metrics: Metrics,
        tracer: Tracer,
    ) -> None:
        self._verifier = verifier
        self._gate = gate
        self._keyed = keyed
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
                if method in OPEN_METHODS:
                    return behaviour(request, context)
                return self._answer_caller(call, metadata, request, lambda: behaviour(request, context))
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

    def _answer_caller(self, call: Call, metadata: Mapping[str, str], request: Any, answer: Callable[[], Any]) -> Any:
        """Verify the bearer token once more: the function's policy, not its caller, is what it can rely on.

        One cache round trip for the login's state and the conversation's token; a key costs what `KeyedCalls` says.
        """
        who = call.identity = self._verifier.verify_access_token(_bearer_token(metadata))
        key = metadata.get(IDEMPOTENCY_KEY) if call.method in KEYED_METHODS else None
        conversation_id = _conversation_of(request) if call.method in LIMITED_METHODS else None
        admission = self._gate.admit(
            who.user_id, who.session_id, conversation_id=conversation_id, now_ms=self._clock.now_ms()
        )
        if not admission.is_active:
            if key and call.method in SELF_ENDING_METHODS:
                told = self._keyed.tell_again(call, who, key, request)
                if told is not None:
                    return told
            raise Unauthenticated
        if admission.wait_ms:
            raise RateLimited(retry_after_ms=admission.wait_ms)
        return self._keyed.run(call, who, key, request, answer) if key else answer()

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


def _bearer_token(metadata: Mapping[str, str]) -> str:
    authorization = metadata.get(AUTHORIZATION, "")
    if not authorization.lower().startswith(_BEARER):
        raise Unauthenticated
    return authorization[len(_BEARER) :].strip()


def _conversation_of(request: Any) -> ConversationId | None:
    """Return the conversation that a request names; what can't be one has no bucket, and is refused by its use case."""
    try:
        return parse_conversation_id(request.conversation_id)
    except ConversationNotFound:
        return None
