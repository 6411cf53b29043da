"""Builds what the sweep needs, once per container; nothing of it stands in the VPC."""

import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache

import msgspec
from aws_lambda_powertools import Logger

from gateway.sweep.drain import Drain
from gateway.sweep.stale_connections import ConnectionSweep
from gochat_aws.connections_api import HttpConnectionsApi
from gochat_aws.function_invoke import FunctionInvoker
from gochat_aws.invoke_channel import InvokeChannel, lambda_transport
from gochat_aws.registry.cloud_map import CloudMap, open_cloud_map
from gochat_aws.registry.discover import Discovery
from gochat_contracts.repo.repo_pb2_grpc import RepoServiceStub
from gochat_core.clock import Clock, SystemClock
from gochat_core.logs import make_logger
from gochat_core.metrics import Metrics
from gochat_core.settings import read_settings
from gochat_core.sweeps import Duty
from gochat_core.types import CellId

SERVICE = "gateway-sweep"


class Settings(msgspec.Struct, frozen=True, kw_only=True):
    """What the environment tells."""

    stage: str
    cell_id: str
    connections_endpoint: str
    repo_function: str
    websocket_function: str
    connection_check_minutes: float = 15.0
    """How long a connection is believed in without a look: a stale one costs a message's detour and a wrong presence,
    a look one of the account's 10,000 requests a second."""
    registry_namespace: str = ""
    """Where the cells are registered; none: no cell ever drains."""
    log_level: str = "INFO"


@dataclass(frozen=True, kw_only=True)
class Wiring:
    """What lives as long as the container."""

    clock: Clock
    logger: Logger
    metrics: Metrics
    duties: Sequence[Duty]


@cache
def wiring() -> Wiring:
    """Return this container's adapters."""
    return build(os.environ)


def build(environ: Mapping[str, str]) -> Wiring:
    """Build the adapters from an environment; nothing is connected yet."""
    settings = read_settings(Settings, environ)
    region = environ["AWS_REGION"]
    clock = SystemClock()
    logger = make_logger(SERVICE, settings.log_level)
    repo = RepoServiceStub(
        InvokeChannel(lambda_transport(FunctionInvoker(function=settings.repo_function, region=region)))
    )
    connections = HttpConnectionsApi(settings.connections_endpoint, region=region)
    sweep = ConnectionSweep(
        repo=repo,
        connections=connections,
        invoker=cache(lambda: FunctionInvoker(function=settings.websocket_function, region=region)),
        cell_id=CellId(settings.cell_id),
        check_every_ms=int(settings.connection_check_minutes * 60_000),
    )
    cloud_map = CloudMap(api=open_cloud_map(region=region), namespace=settings.registry_namespace)
    drain = Drain(
        cell_id=CellId(settings.cell_id),
        instances=Discovery(cloud_map, logger=logger).instances,
        repo=repo,
        connections=connections,
    )
    return Wiring(
        clock=clock,
        logger=logger,
        metrics=Metrics(service=SERVICE, stage=settings.stage),
        duties=[
            # First: whoever was moved needs no check.
            *([Duty(name="drain", limit_s=15, run=drain.move_clients)] if settings.registry_namespace else []),
            Duty(name="stale_connections", limit_s=20, run=sweep.check_due),
        ],
    )
