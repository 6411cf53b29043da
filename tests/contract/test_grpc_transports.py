"""One contract for every way a gRPC call can travel: in process, in a Lambda invocation, over a real grpc.server."""

from typing import Any

import grpc
import pytest

from gochat_aws.invoke_envelope import MAX_MESSAGE_BYTES
from gochat_aws.invoke_server import HEALTH_METHOD, SERVING
from gochat_aws.rpc_errors import error_of
from gochat_core.errors import Forbidden, InvalidRequest, Unauthenticated
from gochat_core.tracing import REQUEST_ID_HEADER, TRACE_HEADER
from tests.contract.echo_client import call, failure, method_of, pairs
from tests.contract.echo_service import SERVICE, TOKEN, Door, Echo

CODE = grpc.StatusCode


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
