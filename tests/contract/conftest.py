"""The Echo service behind each of the ways that a gRPC call travels."""

from collections.abc import Iterator

import grpc
import pytest

from gochat_aws.boundary_interceptor import BoundaryInterceptor
from gochat_aws.invoke_server import InvokeServer
from tests.contract.echo_service import Door, Echo, declare, register
from tests.fixtures.grpc_carriers import CARRIERS


@pytest.fixture
def servicer() -> Echo:
    return Echo()


@pytest.fixture
def door() -> Door:
    return Door()


@pytest.fixture(params=CARRIERS)
def channel(request: pytest.FixtureRequest, servicer: Echo, door: Door) -> Iterator[grpc.Channel]:
    declare()

    def build() -> InvokeServer:
        server = InvokeServer([BoundaryInterceptor(door.wrap)])
        register(servicer, server)
        return server

    with CARRIERS[request.param](build) as carrying:
        yield carrying
