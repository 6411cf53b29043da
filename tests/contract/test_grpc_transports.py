"""One contract for every way a gRPC call can travel: in process, in a Lambda invocation, over a real grpc.server."""

import time
from collections.abc import Iterator
from typing import Any

import grpc
import pytest

from gochat_aws.boundary_interceptor import BoundaryInterceptor
from gochat_aws.invoke_envelope import MAX_MESSAGE_BYTES
from gochat_aws.invoke_server import HEALTH_METHOD, SERVING, InvokeServer
from gochat_aws.retries import RetryPolicy, with_retries
from gochat_aws.rpc_errors import error_of
from gochat_core.errors import Forbidden, InvalidRequest, Unauthenticated, Unavailable
from gochat_core.tracing import REQUEST_ID_HEADER, TRACE_HEADER
from tests.contract.echo_service import SERVICE, TOKEN, Door, Echo, declare, register
from tests.fixtures.grpc_carriers import CARRIERS

CODE = grpc.StatusCode

declare()


@pytest.fixture
def servicer() -> Echo:
    return Echo()


@pytest.fixture
def door() -> Door:
    return Door()


@pytest.fixture(params=CARRIERS)
def channel(request: pytest.FixtureRequest, servicer: Echo, door: Door) -> Iterator[grpc.Channel]:
    def build() -> InvokeServer:
        server = InvokeServer([BoundaryInterceptor(door.wrap)])
        register(servicer, server)
        return server

    with CARRIERS[request.param](build) as carrying:
        yield carrying


def method_of(channel: grpc.Channel, method: str) -> Any:
    return channel.unary_unary(f"/{SERVICE}/{method}", lambda b: b, lambda b: b)


def call(channel: grpc.Channel, method: str, request: bytes = b"", **options: Any) -> tuple[bytes, Any]:
    metadata = (("authorization", TOKEN), *options.pop("metadata", ()))
    answer: tuple[bytes, Any] = method_of(channel, method).with_call(
        request, **{"timeout": 10.0, "metadata": metadata, **options}
    )
    return answer


def failure(channel: grpc.Channel, method: str, request: bytes = b"", **options: Any) -> Any:
    with pytest.raises(grpc.RpcError) as failed:
        call(channel, method, request, **options)
    return failed.value


def pairs(metadata: Any) -> list[tuple[str, str | bytes]]:
    return [(key, value) for key, value in metadata]


def test_an_answer_comes_back_with_its_metadata(channel: grpc.Channel) -> None:
    answer, outcome = call(channel, "Echo", bytes(range(256)), metadata=(("x-blob-bin", b"\xfe"),))

    assert answer == bytes(range(256))
    assert outcome.code() is CODE.OK
    assert ("x-first", "before") in pairs(outcome.initial_metadata())
    assert ("x-raw-bin", b"\x00\xff") in pairs(outcome.trailing_metadata())
    assert ("x-blob-bin", b"\xfe") in pairs(outcome.trailing_metadata())


def test_trace_and_request_id_reach_the_servicer_and_its_log(channel: grpc.Channel, door: Door) -> None:
    ids = ((REQUEST_ID_HEADER, "r-1"), (TRACE_HEADER, "Root=1-65a0b1c2-0123456789abcdef01234567;Sampled=1"))

    _, outcome = call(channel, "Echo", metadata=ids)

    assert set(ids) <= set(pairs(outcome.trailing_metadata()))
    assert door.lines == [(f"/{SERVICE}/Echo", "ok", "r-1")]


def test_the_servicer_sees_how_long_its_client_waits(channel: grpc.Channel, servicer: Echo) -> None:
    call(channel, "Echo", timeout=30.0)

    assert servicer.remaining_s is not None
    # A grpc.Server reads the timeout from the wire, where it is rounded up.
    assert 10.0 < servicer.remaining_s < 30.2


def test_an_abort_arrives_with_code_details_and_trailing_metadata(channel: grpc.Channel) -> None:
    error = failure(channel, "Abort")

    assert error.code() is CODE.ALREADY_EXISTS
    assert error.details() == "Grüße: the username is taken"
    assert ("x-gochat-code", "username_taken") in pairs(error.trailing_metadata())


def test_a_status_set_beside_an_answer_makes_it_a_failure(channel: grpc.Channel) -> None:
    error = failure(channel, "SetCode")

    assert (error.code(), error.details()) == (CODE.NOT_FOUND, "there is none")


def test_a_servicer_that_raises_is_unknown(channel: grpc.Channel) -> None:
    assert failure(channel, "Fail").code() is CODE.UNKNOWN


def test_a_method_that_nobody_serves_is_unimplemented_and_never_reaches_the_boundary(
    channel: grpc.Channel, door: Door
) -> None:
    assert failure(channel, "Absent").code() is CODE.UNIMPLEMENTED
    assert door.lines == []


def test_the_standard_health_check_is_answered_before_any_boundary(channel: grpc.Channel, door: Door) -> None:
    check = channel.unary_unary(HEALTH_METHOD, lambda b: b, lambda b: b)

    assert check(b"", timeout=10.0) == SERVING
    assert door.lines == []


def test_an_error_arrives_with_every_detail(channel: grpc.Channel, door: Door) -> None:
    error = failure(channel, "Refuse", b"invalid")

    told = error_of(error)
    assert error.code() is CODE.INVALID_ARGUMENT
    assert isinstance(told, InvalidRequest)
    assert [(one.field, one.message) for one in told.faults] == [("größe", "must be at most 3 ✓")]
    assert door.lines[0][1] == "invalid_request"


def test_who_brings_no_token_is_unauthenticated(channel: grpc.Channel, servicer: Echo) -> None:
    error = failure(channel, "Count", metadata=(("authorization", "Bearer of-nobody"),))

    assert error.code() is CODE.UNAUTHENTICATED
    assert isinstance(error_of(error), Unauthenticated)
    assert servicer.counts == {}


def test_what_one_may_not_do_is_permission_denied(channel: grpc.Channel) -> None:
    error = failure(channel, "Refuse", b"forbidden")

    assert error.code() is CODE.PERMISSION_DENIED
    assert isinstance(error_of(error), Forbidden)


def test_an_interceptor_of_the_client_adds_its_metadata(channel: grpc.Channel) -> None:
    class AddRequestId(grpc.UnaryUnaryClientInterceptor):  # type: ignore[type-arg]  # at run time it takes none
        def intercept_unary_unary(self, continuation: Any, details: Any, request: Any) -> Any:
            more = (*details.metadata, (REQUEST_ID_HEADER, "added"))
            return continuation(details._replace(metadata=more), request)

    intercepted = grpc.intercept_channel(channel, AddRequestId())

    _, outcome = call(intercepted, "Echo")

    assert (REQUEST_ID_HEADER, "added") in pairs(outcome.trailing_metadata())


def test_a_refusal_comes_through_an_interceptor_of_the_client_unchanged(channel: grpc.Channel) -> None:
    class PassOn(grpc.UnaryUnaryClientInterceptor):  # type: ignore[type-arg]  # at run time it takes none
        def intercept_unary_unary(self, continuation: Any, details: Any, request: Any) -> Any:
            return continuation(details, request)

    error = failure(grpc.intercept_channel(channel, PassOn()), "Refuse", b"forbidden")

    assert isinstance(error_of(error), Forbidden)


def test_an_answer_after_the_deadline_is_deadline_exceeded(channel: grpc.Channel) -> None:
    assert failure(channel, "Sleep", b"1.0", timeout=0.2).code() is CODE.DEADLINE_EXCEEDED


def test_a_deadline_that_is_over_already_is_exceeded_without_a_call(channel: grpc.Channel, servicer: Echo) -> None:
    assert failure(channel, "Count", timeout=-1.0).code() is CODE.DEADLINE_EXCEEDED
    assert servicer.counts == {}


def test_a_client_that_cancels_waits_no_longer(channel: grpc.Channel, servicer: Echo) -> None:
    running = method_of(channel, "Sleep").future(b"1.0", timeout=10.0, metadata=(("authorization", TOKEN),))

    assert running.cancel()

    assert running.cancelled()
    assert running.code() is CODE.CANCELLED
    with pytest.raises(grpc.FutureCancelledError):
        running.result()
    assert not servicer.woken.is_set()
    # The channel is good for the next call, which over Lambda Invoke waits until the connection is free again.
    assert call(channel, "Echo", b"next")[0] == b"next"


def test_a_future_gives_the_answer_or_the_failure_when_asked(channel: grpc.Channel) -> None:
    metadata = (("authorization", TOKEN),)

    assert method_of(channel, "Echo").future(b"hello", timeout=10.0, metadata=metadata).result() == b"hello"
    failed = method_of(channel, "Abort").future(b"", timeout=10.0, metadata=metadata)
    assert failed.code() is CODE.ALREADY_EXISTS
    assert isinstance(failed.exception(), grpc.RpcError)


def test_a_message_of_the_largest_size_passes(channel: grpc.Channel) -> None:
    answer, _ = call(channel, "Grow", str(MAX_MESSAGE_BYTES).encode())

    assert len(answer) == MAX_MESSAGE_BYTES


def test_an_answer_that_is_too_large_is_resource_exhausted(channel: grpc.Channel) -> None:
    assert failure(channel, "Grow", str(MAX_MESSAGE_BYTES + 1).encode()).code() is CODE.RESOURCE_EXHAUSTED


def test_a_request_that_is_too_large_is_resource_exhausted(channel: grpc.Channel, door: Door) -> None:
    assert failure(channel, "Echo", b"x" * (MAX_MESSAGE_BYTES + 1)).code() is CODE.RESOURCE_EXHAUSTED
    assert door.lines == []


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
