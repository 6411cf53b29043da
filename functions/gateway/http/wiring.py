"""Builds the REST door, once per container, from the environment."""

import os
from collections.abc import Callable, Mapping
from functools import cache

import grpc
import msgspec

from gateway.http.app import App
from gateway.http.closing import ConnectionCloser
from gateway.http.gateways import Gateways
from gateway.http.logic_channel import open_logic_channel
from gateway.http.logic_client import LogicClient
from gateway.http.routing import Services
from gochat_aws.connections_api import ConnectionsApi, HttpConnectionsApi
from gochat_aws.function_invoke import FunctionInvoker
from gochat_aws.invoke_channel import InvokeChannel, lambda_transport
from gochat_aws.registry.cloud_map import CloudMap, open_cloud_map
from gochat_aws.registry.discover import Discovery
from gochat_aws.registry.instances import Instance
from gochat_aws.retries import with_retries
from gochat_core.clock import Clock, SystemClock
from gochat_core.logs import make_logger
from gochat_core.metrics import Metrics
from gochat_core.settings import read_settings
from gochat_core.tokens import TokenVerifier
from gochat_core.types import CellId

SERVICE = "gateway-http"


class Settings(msgspec.Struct, frozen=True, kw_only=True):
    """What the deployment says."""

    stage: str
    token_public_keys: str
    logic_function: str
    connections_endpoints: str
    """JSON: the base URL of each cell's `@connections`, by the cell's id."""
    websocket_url: str
    http_url: str
    registry_namespace: str = ""
    """Where im-logic and the cells are registered; none: `logic_function` and `websocket_url` are all there is."""
    log_level: str = "INFO"

    def endpoints(self) -> dict[CellId, str]:
        """Read the base URLs of the cells' `@connections`."""
        return msgspec.json.decode(self.connections_endpoints, type=dict[CellId, str])


@cache
def app() -> App:
    """Return this container's app."""
    settings = read_settings(Settings, os.environ)
    region = os.environ["AWS_REGION"]
    logger = make_logger(SERVICE, settings.log_level)
    cloud_map = CloudMap(api=open_cloud_map(region=region), namespace=settings.registry_namespace)
    discovery = Discovery(cloud_map, logger=logger) if settings.registry_namespace else None
    if discovery:
        channel = open_logic_channel(discovery, function=settings.logic_function, region=region, logger=logger)
    else:
        channel = InvokeChannel(lambda_transport(FunctionInvoker(function=settings.logic_function, region=region)))
    return build(
        settings,
        channel=channel,
        connections={
            cell_id: HttpConnectionsApi(endpoint, region=region) for cell_id, endpoint in settings.endpoints().items()
        },
        clock=SystemClock(),
        instances=discovery.instances if discovery else _nobody,
    )


def _nobody(_service: str) -> tuple[Instance, ...]:
    return ()


def build(
    settings: Settings,
    *,
    channel: grpc.Channel,
    connections: Mapping[CellId, ConnectionsApi],
    clock: Clock,
    instances: Callable[[str], tuple[Instance, ...]] = _nobody,
) -> App:
    """Put the app together over any channel to im-logic and any way to the connections of each cell."""
    logger = make_logger(SERVICE, settings.log_level)
    return App(
        services=Services(
            logic=LogicClient(with_retries(channel)),
            closer=ConnectionCloser(connections, logger=logger),
            gateways=Gateways(
                instances=instances,
                fallback=Instance(
                    instance_id=next(iter(settings.endpoints()), ""),
                    endpoint=settings.websocket_url,
                    region=os.environ.get("AWS_REGION", ""),
                ),
            ),
            http_url=settings.http_url,
            stage=settings.stage,
        ),
        verifier=TokenVerifier(settings.token_public_keys, clock),
        clock=clock,
        logger=logger,
        metrics=Metrics(service=SERVICE, stage=settings.stage),
    )
