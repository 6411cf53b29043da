"""Serves the Echo service as a container would, until it is told to stop: `python -m tests.contract.echo_server`."""

import sys

from gochat_aws.boundary_interceptor import BoundaryInterceptor
from gochat_aws.grpc_server import serve
from gochat_aws.invoke_server import InvokeServer
from tests.contract.echo_service import Door, Echo, register


def build() -> InvokeServer:
    """Build one container."""
    server = InvokeServer([BoundaryInterceptor(Door().wrap)])
    register(Echo(), server)
    return server


def say(address: str) -> None:
    """Tell whoever started this where it serves."""
    sys.stdout.write(f"{address}\n")
    sys.stdout.flush()


if __name__ == "__main__":
    serve(build, address=sys.argv[1], on_start=say)
