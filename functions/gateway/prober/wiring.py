"""Builds what the prober needs, once per container; nothing of it stands in the VPC."""

import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache

import msgspec
from aws_lambda_powertools import Logger

from gateway.prober.health_calls import HealthCalls
from gateway.prober.leases import Leases
from gateway.prober.loads import Loads
from gochat_aws.function_invoke import FunctionInvoker
from gochat_aws.invoke_channel import InvokeChannel, lambda_transport
from gochat_aws.registry.cloud_map import CloudMap, open_cloud_map
from gochat_aws.registry.instances import GATEWAY_LOAD
from gochat_aws.registry.registration import Registry
from gochat_aws.registry.watch import Announcer, open_events
from gochat_contracts.repo.repo_pb2_grpc import RepoServiceStub
from gochat_core.clock import Clock, SystemClock
from gochat_core.logs import make_logger
from gochat_core.metrics import Metrics
from gochat_core.settings import read_settings
from gochat_core.sweeps import Duty

SERVICE = "gateway-prober"

CALL_TIMEOUT_S = 3.0
"""Nobody waits for these calls to the registry."""


class Settings(msgspec.Struct, frozen=True, kw_only=True):
    """What the environment tells."""

    stage: str
    registry_namespace: str
    registry_services: str
    """`name=id,…`: the services and their ids in Cloud Map."""
    registry_bus: str
    repo_function: str
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
    service_ids = dict(pair.split("=", 1) for pair in settings.registry_services.split(","))
    cloud_map = CloudMap(
        api=open_cloud_map(region=region, timeout_s=CALL_TIMEOUT_S),
        namespace=settings.registry_namespace,
        service_ids=service_ids,
    )
    events = open_events(region=region, timeout_s=CALL_TIMEOUT_S)
    registry = Registry(
        cloud_map=cloud_map,
        announcer=Announcer(api=events, bus=settings.registry_bus, clock=clock, logger=logger),
    )
    probed = [name for name in service_ids if name != GATEWAY_LOAD]
    leases = Leases(registry=registry, services=probed, is_serving=HealthCalls(region=region).is_serving)
    repo = FunctionInvoker(function=settings.repo_function, region=region)
    loads = Loads(repo=RepoServiceStub(InvokeChannel(lambda_transport(repo))), cloud_map=cloud_map)
    return Wiring(
        clock=clock,
        logger=logger,
        metrics=Metrics(service=SERVICE, stage=settings.stage),
        duties=[
            # First, because the rounds take the rest of the minute.
            Duty(name="loads", limit_s=5, run=loads.note),
            Duty(name="leases", limit_s=50, run=leases.renew),
        ],
    )
