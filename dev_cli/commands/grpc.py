"""Serves im-logic and im-repo as containers do: real gRPC over HTTP/2, on the stores of a deployed stage."""

import argparse
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from dev_cli.failure import Failure
from dev_cli.paths import ROOT, python_environment
from dev_cli.stage import serving_stage
from dev_cli.stage_names import STAGES
from local_stage.supervisor.cloud import ACCOUNT, REGION

SERVICES = ("logic", "repo")

_START_TIMEOUT_S = 30.0
_STOP_TIMEOUT_S = 30.0
_POLL_S = 0.1


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the options."""
    parser.add_argument("--stage", choices=STAGES, default="local", help="whose stores and keys (default: local)")
    parser.add_argument("--service", choices=SERVICES, help="serve this one alone (default: both)")
    parser.add_argument("--host", default="127.0.0.1", help="where to listen (default: this machine alone)")
    parser.add_argument(
        "--port", type=int, default=50051, help="of im-logic; im-repo has the next one (default: 50051; 0: free ports)"
    )
    parser.add_argument("--register", action="store_true", help="take calls of the stage: register in its registry")


def run(arguments: argparse.Namespace) -> int:
    """Serve until Ctrl-C or SIGTERM; give 1 when a server ended by itself."""
    services = (arguments.service,) if arguments.service else SERVICES
    aws = stage_environment(arguments.stage)
    ports = {service: arguments.port + at if arguments.port else free_port() for at, service in enumerate(services)}
    # SIGTERM ends the servers as Ctrl-C does: in order, calls under way first.
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    with _servers(arguments, aws, ports) as servers:
        try:
            _wait_until_serving(arguments.host, ports, servers)
            for service, port in ports.items():
                print(f"im-{service} serves gRPC at {arguments.host}:{port}", flush=True)
            while all(server.poll() is None for server in servers):
                time.sleep(_POLL_S)
        except KeyboardInterrupt:
            return 0
    return 1


def stage_environment(stage: str) -> dict[str, str]:
    """Give what reaches the AWS of a stage: nothing for dev and prod, where your own credentials do."""
    if stage != "local":
        return {}
    return {
        "AWS_ENDPOINT_URL": str(serving_stage().aws_url),
        "AWS_ACCESS_KEY_ID": ACCOUNT,
        "AWS_SECRET_ACCESS_KEY": "local",
        "AWS_REGION": REGION,
        "AWS_DEFAULT_REGION": REGION,
    }


def function_settings(stage: str, function: str, aws: dict[str, str]) -> dict[str, str]:
    """Give the environment of a deployed function; Failure when there is none."""
    import boto3
    from botocore.exceptions import BotoCoreError, ClientError

    options: dict[str, Any] = {}
    if aws:
        options = {
            "endpoint_url": aws["AWS_ENDPOINT_URL"],
            "region_name": aws["AWS_REGION"],
            "aws_access_key_id": aws["AWS_ACCESS_KEY_ID"],
            "aws_secret_access_key": aws["AWS_SECRET_ACCESS_KEY"],
        }
    name = f"gochat-{stage}-{function}"
    try:
        found = boto3.client("lambda", **options).get_function_configuration(FunctionName=name)
    except (BotoCoreError, ClientError) as error:
        raise Failure(f"the settings of {name} can't be read ({error}).", advice="Is the stage deployed?") from error
    return dict(found["Environment"]["Variables"])


def free_port() -> int:
    """Give a port that nobody listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@contextmanager
def _servers(
    arguments: argparse.Namespace, aws: dict[str, str], ports: dict[str, int]
) -> Iterator[list[subprocess.Popen[bytes]]]:
    """Start a server for each service, and end them all when the block is left."""
    settings = {service: function_settings(arguments.stage, f"{service}-rpc", aws) for service in ports}
    if arguments.register:
        registry = function_settings(arguments.stage, "gateway-prober", aws)
        for service, port in ports.items():
            settings[service] |= {
                "GOCHAT_REGISTRY_NAMESPACE": registry["GOCHAT_REGISTRY_NAMESPACE"],
                "GOCHAT_REGISTRY_BUS": registry["GOCHAT_REGISTRY_BUS"],
                "GOCHAT_REGISTRY_ENDPOINT": f"grpc://{arguments.host}:{port}",
            }
    servers = [
        subprocess.Popen(
            [sys.executable, "-m", f"{service}.rpc.serve"],
            cwd=ROOT,
            env={
                **python_environment(),
                **settings[service],
                **aws,
                "GOCHAT_GRPC_ADDRESS": f"{arguments.host}:{port}",
                "PYTHONUNBUFFERED": "1",
            },
            # Not in this terminal's group: Ctrl-C reaches them through this command alone.
            start_new_session=True,
        )
        for service, port in ports.items()
    ]
    try:
        yield servers
    finally:
        for server in servers:
            server.terminate()
        for server in servers:
            try:
                server.wait(_STOP_TIMEOUT_S)
            except subprocess.TimeoutExpired:
                server.kill()


def _wait_until_serving(host: str, ports: dict[str, int], servers: list[subprocess.Popen[bytes]]) -> None:
    """Wait until every port is open; Failure when a server ends first, or none opens in time."""
    deadline = time.monotonic() + _START_TIMEOUT_S
    for service, port in ports.items():
        while not _is_open(host, port):
            if any(server.poll() is not None for server in servers) or time.monotonic() > deadline:
                raise Failure(f"im-{service} does not serve at {host}:{port}; the lines above say why.")
            time.sleep(_POLL_S)


def _is_open(host: str, port: int) -> bool:
    try:
        socket.create_connection(("127.0.0.1" if host == "0.0.0.0" else host, port), 1.0).close()  # noqa: S104
    except OSError:
        return False
    return True
