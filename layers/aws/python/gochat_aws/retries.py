"""Makes a call again whose outcome is unknown or which never arrived, where its contract says that this is safe."""

import random
import time
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from typing import Any

import grpc
from google.protobuf import descriptor_pool
from google.protobuf.descriptor_pb2 import MethodOptions

from gochat_contracts.error_metadata import ERROR_KEY


@dataclass(frozen=True, kw_only=True)
class RetryPolicy:
    """How often and how soon; waits are drawn from 0 to a backoff that doubles (AWS Builders' Library, "Timeouts,
    retries, and backoff with jitter")."""

    attempts: int = 3
    first_backoff_s: float = 0.1
    longest_backoff_s: float = 1.0


class RetryBudget:
    """Stops retries while most calls fail, so that they don't keep down what is down (gRPC proposal A6, throttling).

    A failure takes a token, a success gives back a tenth; retries need more than half of the tokens.
    """

    TOKENS = 10.0
    GIVEN_BACK = 0.1

    def __init__(self) -> None:
        self._tokens = self.TOKENS

    def note(self, *, succeeded: bool) -> None:
        """Take note of how a call ended."""
        change = self.GIVEN_BACK if succeeded else -1.0
        self._tokens = min(self.TOKENS, max(0.0, self._tokens + change))

    def allows(self) -> bool:
        """Tell whether a call may be made again now."""
        return self._tokens > self.TOKENS / 2


class RetryInterceptor(grpc.UnaryUnaryClientInterceptor):  # type: ignore[type-arg]  # at run time it takes none
    """Retries calls of one channel that end UNAVAILABLE, within their deadline."""

    def __init__(
        self,
        policy: RetryPolicy,
        *,
        pause: Callable[[float], None] = time.sleep,
        monotonic_s: Callable[[], float] = time.monotonic,
        draw: Callable[[float, float], float] = random.uniform,
    ) -> None:
        self._policy = policy
        self._pause = pause
        self._monotonic_s = monotonic_s
        self._draw = draw
        self._budget = RetryBudget()

    def intercept_unary_unary(self, continuation: Any, client_call_details: Any, request: Any) -> Any:
        """Return the outcome of the last attempt; `grpc.intercept_channel` calls this, and waits here for `future`s."""
        details = client_call_details
        deadline_s = None if details.timeout is None else self._monotonic_s() + details.timeout
        backoff_s = self._policy.first_backoff_s
        outcome = self._attempt(continuation, details, request)
        for _ in range(self._policy.attempts - 1):
            if not (is_idempotent(details.method) and _never_answered(outcome) and self._budget.allows()):
                break
            wait_s = self._draw(0, backoff_s)
            if deadline_s is not None and self._monotonic_s() + wait_s >= deadline_s:
                break
            self._pause(wait_s)
            backoff_s = min(2 * backoff_s, self._policy.longest_backoff_s)
            if deadline_s is not None:
                details = details._replace(timeout=deadline_s - self._monotonic_s())
            outcome = self._attempt(continuation, details, request)
        return outcome

    def _attempt(self, continuation: Any, details: Any, request: Any) -> Any:
        outcome = continuation(details, request)
        self._budget.note(succeeded=outcome.code() is not grpc.StatusCode.UNAVAILABLE)
        return outcome


def with_retries(channel: grpc.Channel, policy: RetryPolicy | None = None, **ports: Any) -> grpc.Channel:
    """Return the channel with retries; each attempt goes through the channel anew, to another target if it knows some.

    `ports`: the pause, the clock and the draw of `RetryInterceptor`, for tests.
    """
    return grpc.intercept_channel(channel, RetryInterceptor(policy or RetryPolicy(), **ports))


@cache
def is_idempotent(method: str) -> bool:
    """Tell whether a method's .proto marks it as safe to repeat (`option idempotency_level`); unknown ones are not."""
    try:
        found = descriptor_pool.Default().FindMethodByName(method.removeprefix("/").replace("/", "."))
    except KeyError:
        return False
    level: int = found.GetOptions().idempotency_level
    return level in (MethodOptions.IDEMPOTENT, MethodOptions.NO_SIDE_EFFECTS)


def _never_answered(outcome: Any) -> bool:
    """Tell whether the transport failed.

    A servicer that answers UNAVAILABLE tells so in the metadata: it has asked its stores again itself, and its client
    is told when to come back. Retrying that here as well would multiply the load on what is down.
    """
    if outcome.code() is not grpc.StatusCode.UNAVAILABLE:
        return False
    return all(key != ERROR_KEY for key, _ in outcome.trailing_metadata() or ())
