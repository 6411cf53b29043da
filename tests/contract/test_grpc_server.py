"""The life of a container that serves gRPC: start, health, drain, end."""

import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import grpc
from grpc_health.v1 import health_pb2, health_pb2_grpc

from dev_cli.paths import ROOT, python_environment
from tests.contract.echo_service import SERVICE, TOKEN

METADATA = (("authorization", TOKEN),)


@contextmanager
def container(address: str = "127.0.0.1:0") -> Iterator[tuple["subprocess.Popen[str]", str]]:
    """Start a server in a process of its own; give it and its address, empty when it ended at once."""
    with subprocess.Popen(
        [sys.executable, "-m", "tests.contract.echo_server", address],
        cwd=ROOT,
        env={**python_environment(), "GRPC_VERBOSITY": "NONE"},
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
    ) as process:
        try:
            assert process.stdout is not None
            yield process, process.stdout.readline().strip()
        finally:
            process.kill()


def echo(channel: grpc.Channel, method: str) -> Any:
    return channel.unary_unary(f"/{SERVICE}/{method}", lambda b: b, lambda b: b)


def test_a_container_that_is_told_to_stop_says_so_and_finishes_the_calls_under_way() -> None:
    with container() as (process, address), grpc.insecure_channel(address) as channel:
        watching = health_pb2_grpc.HealthStub(channel).Watch(health_pb2.HealthCheckRequest(), timeout=60)
        assert next(watching).status == health_pb2.HealthCheckResponse.SERVING
        under_way = echo(channel, "Sleep").future(b"2.0", timeout=60, metadata=METADATA)
        # Taken in the order of sending on one connection: once this is answered, the call before it is under way.
        echo(channel, "Echo")(b"", timeout=60, metadata=METADATA)

        process.send_signal(signal.SIGTERM)

        assert next(watching).status == health_pb2.HealthCheckResponse.NOT_SERVING
        assert under_way.result() == b"late"
        watching.cancel()
        assert process.wait(60) == 0


def test_two_containers_never_share_a_port() -> None:
    with container() as (first, address), container(address) as (second, second_address):
        assert first.poll() is None
        assert second_address == ""
        assert second.wait(60) != 0


def test_settings_that_are_missing_end_a_container_at_its_start() -> None:
    environ = {name: value for name, value in python_environment().items() if not name.startswith("GOCHAT_")}
    started = subprocess.run(
        [sys.executable, "-m", "logic.rpc.serve"], cwd=ROOT, env=environ, capture_output=True, text=True, timeout=60
    )

    assert started.returncode != 0
    assert "GOCHAT_" in started.stderr
