"""Builds the REST door, once per container, from the environment."""

import os
from functools import cache

import grpc
import msgspec

from gateway.http.app import App
from gateway.http.closing import ConnectionCloser
from gateway.http.logic_client import LogicClient
from gateway.http.routing import Services
from gochat_aws.connections_api import ConnectionsApi, HttpConnectionsApi
from gochat_aws.function_invoke import FunctionInvoker
from gochat_aws.invoke_channel import InvokeChannel, lambda_transport
from gochat_core.clock import Clock, SystemClock
from gochat_core.logs import make_logger
from gochat_core.metrics import Metrics
from gochat_core.settings import read_settings
from gochat_core.tokens import TokenVerifier

SERVICE = "gateway-http"


class Settings(msgspec.Struct, frozen=True, kw_only=True):
    """What the deployment says."""

    stage: str
    cell_id: str
    token_public_keys: str
    logic_function: str
    connections_endpoint: str
    websocket_url: str
    http_url: str
    log_level: str = "INFO"


@cache
def app() -> App:
    """Return this container's app."""
    settings = read_settings(Settings, os.environ)
    region = os.environ["AWS_REGION"]
    invoker = FunctionInvoker(function=settings.logic_function, region=region)
    return build(
        settings,
        channel=InvokeChannel(lambda_transport(invoker)),
        connections=HttpConnectionsApi(settings.connections_endpoint, region=region),
        clock=SystemClock(),
    )


def build(settings: Settings, *, channel: grpc.Channel, connections: ConnectionsApi, clock: Clock) -> App:
    """Put the app together over any channel to im-logic and any way to the connections."""
    logger = make_logger(SERVICE, settings.log_level)
    return App(
        services=Services(
            logic=LogicClient(channel),
            closer=ConnectionCloser(connections, cell_id=settings.cell_id, logger=logger),
            websocket_url=settings.websocket_url,
            http_url=settings.http_url,
            stage=settings.stage,
        ),
        verifier=TokenVerifier(settings.token_public_keys, clock),
        clock=clock,
        logger=logger,
        metrics=Metrics(service=SERVICE, stage=settings.stage),
    )
