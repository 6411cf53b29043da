"""What is made again, when, and how often: the same over every way that a gRPC call travels."""

import time
from typing import Any

import grpc

from gochat_aws.retries import RetryPolicy, with_retries
from gochat_aws.rpc_errors import error_of
from gochat_core.errors import Unavailable
from tests.contract.echo_client import call, failure
from tests.contract.echo_service import Echo

CODE = grpc.StatusCode


class Waits:
    """The pauses between attempts, noted instead of waited."""

    def __init__(self) -> None:
        self.drawn_from: list[float] = []
        self.paused: list[float] = []

    def draw(self, lowest: float, highest: float) -> float:
        self.drawn_from.append(highest)
        return (lowest + highest) / 2

    def retrying(self, channel: grpc.Channel, **policy: Any) -> grpc.Channel:
        return with_retries(channel, RetryPolicy(**policy), pause=self.paused.append, draw=self.draw)


def test_an_idempotent_call_that_found_nobody_is_made_again_with_growing_waits(
    channel: grpc.Channel, servicer: Echo
) -> None:
    servicer.falls_for, waits = 2, Waits()

    answer, _ = call(waits.retrying(channel, first_backoff_s=0.1), "Falter")

    assert (answer, servicer.counts["Falter"]) == (b"stood", 3)
    assert waits.drawn_from == [0.1, 0.2]
    assert waits.paused == [0.05, 0.1]


def test_the_last_failure_is_told_when_the_attempts_are_used_up(channel: grpc.Channel, servicer: Echo) -> None:
    servicer.falls_for = 5

    error = failure(Waits().retrying(channel), "Falter")

    assert (error.code(), error.details()) == (CODE.UNAVAILABLE, "not now")
    assert servicer.counts["Falter"] == 3


def test_a_call_that_is_not_marked_idempotent_is_made_once(channel: grpc.Channel, servicer: Echo) -> None:
    assert failure(Waits().retrying(channel), "FalterOnce").code() is CODE.UNAVAILABLE
    assert servicer.counts["FalterOnce"] == 1


def test_what_a_servicer_answers_itself_is_not_asked_again(channel: grpc.Channel, servicer: Echo) -> None:
    error = failure(Waits().retrying(channel), "Refuse", b"unavailable")

    assert isinstance(error_of(error), Unavailable)
    assert servicer.counts["Refuse"] == 1


def test_no_attempt_begins_after_the_deadline(channel: grpc.Channel, servicer: Echo) -> None:
    servicer.falls_for, waits = 5, Waits()

    failure(waits.retrying(channel, first_backoff_s=100.0), "Falter", timeout=10.0)

    assert (servicer.counts["Falter"], waits.paused) == (1, [])


def test_an_attempt_has_only_the_time_that_is_left(channel: grpc.Channel, servicer: Echo) -> None:
    servicer.falls_for = 1
    remaining: list[float | None] = []

    class Watch(grpc.UnaryUnaryClientInterceptor):  # type: ignore[type-arg]  # at run time it takes none
        def intercept_unary_unary(self, continuation: Any, details: Any, request: Any) -> Any:
            remaining.append(details.timeout)
            return continuation(details, request)

    watched = grpc.intercept_channel(channel, Watch())
    retrying = with_retries(watched, RetryPolicy(first_backoff_s=0.4), pause=time.sleep, draw=lambda _, high: high)

    call(retrying, "Falter", timeout=30.0)

    first, second = remaining
    assert first == 30.0
    assert second is not None
    assert second < 29.7


def test_retries_stop_while_most_calls_fail(channel: grpc.Channel, servicer: Echo) -> None:
    servicer.falls_for = 1_000
    retrying = Waits().retrying(channel)

    for _ in range(20):
        failure(retrying, "Falter")

    # The budget's ten tokens carry the retries of a few calls; every later call is made once.
    assert 20 <= servicer.counts["Falter"] <= 20 + 6
