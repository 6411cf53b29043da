"""Builds what `deliver` needs, once per container; nothing of it stands in the VPC."""

import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cache

import msgspec
from aws_lambda_powertools import Logger

from gochat_aws.connections_api import ConnectionsApi, HttpConnectionsApi
from gochat_aws.function_invoke import EventInvoker, FunctionInvoker
from gochat_core.clock import Clock, SystemClock
from gochat_core.logs import make_logger
from gochat_core.metrics import Metrics
from gochat_core.settings import read_settings
from gochat_core.tracing import Tracer


class Settings(msgspec.Struct, frozen=True, kw_only=True):
    """What the environment tells."""

    stage: str
    cell_id: str
    connections_endpoint: str
    websocket_function: str
    partial_batch: bool
    service: str = "gateway-deliver"
    """What logs, metrics and traces call it: the same code serves two topics."""
    log_level: str = "INFO"


@dataclass(frozen=True, kw_only=True)
class Wiring:
    """What lives as long as the container."""

    honours_partial_batch: bool
    clock: Clock
    connections: ConnectionsApi
    invoker: Callable[[], EventInvoker]
    logger: Logger
    metrics: Metrics
    tracer: Tracer


@cache
def wiring() -> Wiring:
    """Return this container's adapters."""
    return build(os.environ)


def build(environ: Mapping[str, str]) -> Wiring:
    """Build the adapters from an environment; nothing is connected yet."""
    settings = read_settings(Settings, environ)
    region = environ["AWS_REGION"]
    return Wiring(
        honours_partial_batch=settings.partial_batch,
        clock=SystemClock(),
        connections=HttpConnectionsApi(settings.connections_endpoint, region=region),
        invoker=cache(lambda: FunctionInvoker(function=settings.websocket_function, region=region)),
        logger=make_logger(settings.service, settings.log_level),
        metrics=Metrics(service=settings.service, stage=settings.stage),
        tracer=Tracer(settings.service),
    )
