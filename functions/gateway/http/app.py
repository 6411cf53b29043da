"""The resolver and the one boundary of REST: verifies tokens, renders errors, writes one line a request."""

import dataclasses
import re
from collections.abc import Callable, Mapping
from typing import Any

from aws_lambda_powertools import Logger
from aws_lambda_powertools.event_handler import APIGatewayHttpResolver, Response

from gateway.http.answers import NO_CONTENT, Answer, problem
from gateway.http.request import Request, bearer_token, clean, lower_headers, raw_body
from gateway.http.routes import (
    auth,
    contacts,
    conversations,
    gateways,
    groups,
    health,
    media,
    messages,
    push,
    sync,
    users,
)
from gateway.http.routing import PREFIX, Route, Services
from gochat_core.clock import Clock
from gochat_core.errors import GochatError, InternalError, MethodNotAllowed, NotFound
from gochat_core.metrics import Metrics
from gochat_core.tokens import TokenVerifier
from gochat_core.tracing import current_trace

ROUTES: tuple[Route, ...] = (
    *auth.ROUTES,
    *users.ROUTES,
    *conversations.ROUTES,
    *messages.ROUTES,
    *media.ROUTES,
    *sync.ROUTES,
    *contacts.ROUTES,
    *groups.ROUTES,
    *push.ROUTES,
    *gateways.ROUTES,
    *health.ROUTES,
)

MAX_CALL_S = 24.0
"""Deadline of a call to im-logic: an HTTP API gives up after 30 s (API Gateway quotas), and we answer before."""

_ANSWERING_S = 2.5
"""What of this function's time is kept for closing connections and for the answer."""


class App:
    """REST over API Gateway's HTTP API, payload format 2.0."""

    def __init__(
        self,
        *,
        services: Services,
        verifier: TokenVerifier,
        clock: Clock,
        logger: Logger,
        metrics: Metrics,
    ) -> None:
        self._services = services
        self._verifier = verifier
        self._clock = clock
        self._logger = logger
        self._metrics = metrics
        self._resolver = APIGatewayHttpResolver(debug=False)
        for route in ROUTES:
            self._resolver.route(PREFIX + route.path, method=[route.method])(self._responder(route))
        self._resolver.not_found(self._answer_unknown)

    def handle(self, event: dict[str, Any], context: Any) -> dict[str, Any]:
        """Answer one event."""
        return self._resolver.resolve(event, context)

    def _responder(self, route: Route) -> Callable[..., Response[str]]:
        def respond(**path: str) -> Response[str]:
            return self._respond(
                route.path, lambda request: self._answer(route, request), path=path, is_open=route.is_open
            )

        return respond

    def _answer(self, route: Route, request: Request) -> Answer:
        if route.takes_key:
            request = dataclasses.replace(request, key=request.idempotency_key())
        return route.answer(request, self._services)

    def _answer_unknown(self, _: Exception) -> Response[str]:
        allowed = methods_of(self._resolver.current_event.raw_event["rawPath"])

        def refuse(request: Request) -> Answer:
            if allowed and _is_preflight(method, request):
                # API Gateway says by itself which pages may call; where the default route hands it the question, any
                # success will do.
                return NO_CONTENT
            raise MethodNotAllowed if allowed else NotFound

        method = self._resolver.current_event.http_method
        response = self._respond("unknown", refuse, path={}, is_open=True)
        if allowed:
            response.headers["allow"] = ", ".join(allowed)
        return response

    def _respond(
        self, route: str, answer: Callable[[Request], Answer], *, path: Mapping[str, str], is_open: bool
    ) -> Response[str]:
        started_at_ms = self._clock.now_ms()
        request = self._read_request(path, started_at_ms)
        try:
            if not is_open:
                identity = self._verifier.verify_access_token(bearer_token(request.headers))
                request = dataclasses.replace(request, identity=identity)
            given = answer(request)
        except GochatError as error:
            given = problem(error, request_id=request.request_id)
        except Exception:
            # The boundary of a request: what nobody foresaw is logged here, and the client is told nothing of it.
            self._logger.exception("request failed", extra={"route": route, "request_id": request.request_id})
            given = problem(InternalError(), request_id=request.request_id)
        self._record(request, route, given, self._clock.now_ms() - started_at_ms)
        return Response(
            status_code=given.status,
            content_type=given.content_type if given.value is not None else None,
            body=given.text(),
            headers={"cache-control": "no-store", **given.headers, "x-request-id": request.request_id},
        )

    def _read_request(self, path: Mapping[str, str], now_ms: int) -> Request:
        event = self._resolver.current_event.raw_event
        remaining_s = self._resolver.lambda_context.get_remaining_time_in_millis() / 1000
        return Request(
            request_id=event["requestContext"]["requestId"],
            trace=current_trace(now_ms=now_ms),
            deadline_s=max(0.1, min(MAX_CALL_S, remaining_s - _ANSWERING_S)),
            path=clean(path),
            query=clean(event.get("queryStringParameters") or {}),
            headers=clean(lower_headers(event)),
            source_ip=event["requestContext"]["http"]["sourceIp"],
            raw_body=raw_body(event),
        )

    def _record(self, request: Request, route: str, answer: Answer, duration_ms: int) -> None:
        """Write the request's line: neither query nor body, and of the path only the pattern."""
        method = self._resolver.current_event.http_method
        self._logger.info(
            "request",
            extra={
                "method": method,
                "route": route,
                "status": answer.status,
                "code": answer.code,
                "duration_ms": duration_ms,
                "request_id": request.request_id,
                "trace_id": request.trace.root,
                "user_id": str(request.identity.user_id) if request.identity else None,
            },
        )
        self._metrics.emit(
            {
                "RequestDuration": ("Milliseconds", duration_ms),
                "RequestRefused": ("Count", int(400 <= answer.status < 500)),
                "RequestFailed": ("Count", int(answer.status >= 500)),
            },
            route=f"{method} {route}",
            code=answer.code,
        )


def _is_preflight(method: str, request: Request) -> bool:
    """Tell whether a browser asks if a page may call (Fetch standard, "CORS-preflight request")."""
    return method == "OPTIONS" and {"origin", "access-control-request-method"} <= set(request.headers)


_PATTERNS = [(re.compile(PREFIX + re.sub(r"<\w+>", "[^/]+", route.path)), route.method) for route in ROUTES]


def methods_of(path: str) -> list[str]:
    """Return the methods that a path has; none when there is no such path."""
    return sorted({method for pattern, method in _PATTERNS if pattern.fullmatch(path)})
