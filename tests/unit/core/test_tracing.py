import json
import socket
from collections.abc import Iterator

import pytest

from gochat_core.tracing import DAEMON_HEADER, Trace, Tracer, current_trace, parse_trace

ROOT = "1-5759e988-bd862e3fe1be46a994272793"


@pytest.fixture
def daemon() -> Iterator[socket.socket]:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as listener:
        listener.bind(("127.0.0.1", 0))
        listener.settimeout(5)
        yield listener


def tracer_for(daemon: socket.socket) -> Tracer:
    host, port = daemon.getsockname()
    return Tracer("logic-upstream", {"AWS_XRAY_DAEMON_ADDRESS": f"tcp:{host}:1 udp:{host}:{port}"})


def test_a_trace_survives_its_header() -> None:
    trace = Trace(root=ROOT, parent="53995c3f42cd8ad8", sampled=True)
    assert parse_trace(trace.header(), now_ms=0) == trace


@pytest.mark.parametrize("header", [None, "", "garbage", "Root=1-short", "Sampled=1", "=;=;="])
def test_a_broken_header_begins_a_trace_that_is_not_sampled(header: str | None) -> None:
    begun = parse_trace(header, now_ms=1_700_000_000_000)
    assert begun.root.startswith("1-6553f100-")
    assert len(begun.root) == len(ROOT)
    assert not begun.sampled


def test_lambda_tells_the_trace_in_the_environment() -> None:
    assert current_trace({"_X_AMZN_TRACE_ID": f"Root={ROOT};Sampled=1"}, now_ms=0) == Trace(root=ROOT, sampled=True)


@pytest.mark.enable_socket
def test_each_hop_of_a_sampled_trace_hangs_below_the_one_before(daemon: socket.socket) -> None:
    tracer = tracer_for(daemon)
    first = tracer.segment(Trace(root=ROOT, sampled=True), "accept", started_at_ms=1000, ended_at_ms=1500, batch=2)
    tracer.segment(first, "store", started_at_ms=1500, ended_at_ms=1600)
    documents = [json.loads(daemon.recv(65536).removeprefix(DAEMON_HEADER)) for _ in range(2)]
    assert [document["name"] for document in documents] == ["gochat-accept", "gochat-store"]
    assert {document["trace_id"] for document in documents} == {ROOT}
    assert documents[1]["parent_id"] == documents[0]["id"]
    assert documents[0]["annotations"] == {"service": "logic-upstream", "batch": 2}
    assert (documents[0]["start_time"], documents[0]["end_time"]) == (1.0, 1.5)


@pytest.mark.enable_socket
def test_an_unsampled_trace_sends_nothing_and_passes_on_unchanged(daemon: socket.socket) -> None:
    daemon.settimeout(0.05)
    trace = Trace(root=ROOT)
    assert tracer_for(daemon).segment(trace, "store", started_at_ms=0, ended_at_ms=1) is trace
    with pytest.raises(TimeoutError):
        daemon.recv(1)


@pytest.mark.enable_socket
def test_a_missing_daemon_costs_no_message() -> None:
    for address in ("", "nonsense", "127.0.0.1:1"):
        tracer = Tracer("x", {"AWS_XRAY_DAEMON_ADDRESS": address})
        for _ in range(3):
            passed_on = tracer.segment(Trace(root=ROOT, sampled=True), "a", started_at_ms=0, ended_at_ms=1)
            assert passed_on.sampled
