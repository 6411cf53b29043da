"""Builds RepoService's server, once per container, from the environment."""

import os
from collections.abc import Mapping
from functools import cache
from typing import Any, cast

import grpc
import msgspec

from gochat_aws.boundary_interceptor import BoundaryInterceptor
from gochat_aws.invoke_server import InvokeServer
from gochat_contracts.repo import repo_pb2_grpc
from gochat_core.clock import SystemClock
from gochat_core.logs import make_logger
from gochat_core.metrics import Metrics
from gochat_core.settings import read_settings
from gochat_repo.cache import cache_from
from gochat_repo.connection_checks import ConnectionChecks
from gochat_repo.connections import Connections
from gochat_repo.mysql import database_from
from gochat_repo.push_checks import PushChecks
from gochat_repo.read_through import ReadThrough
from gochat_repo.user_status import UserStatuses
from gochat_repo.users import UserStore
from repo.rpc.boundary import Boundary
from repo.rpc.service import RepoService

SERVICE = "repo-rpc"


class Settings(msgspec.Struct, frozen=True, kw_only=True):
    """What the deployment says, beside where the stores are."""

    stage: str
    log_level: str = "INFO"


@cache
def server() -> InvokeServer:
    """Return this container's server."""
    return build(os.environ)


def build(environ: Mapping[str, str]) -> InvokeServer:
    """Build the server; connects to nothing yet."""
    settings = read_settings(Settings, environ)
    database, cache_client = database_from(environ), cache_from(environ)
    connections = Connections(database, cache_client)
    service = RepoService(
        database,
        UserStore(database, ReadThrough(database, cache_client)),
        connections,
        ConnectionChecks(database, connections),
        UserStatuses(cache_client),
        PushChecks(database),
        SystemClock(),
        stage=settings.stage,
        version=environ.get("AWS_LAMBDA_FUNCTION_VERSION", ""),
    )
    boundary = Boundary(
        clock=SystemClock(),
        logger=make_logger(SERVICE, settings.log_level),
        metrics=Metrics(service=SERVICE, stage=settings.stage),
    )
    invoke_server = InvokeServer([BoundaryInterceptor(boundary.wrap)])
    # Generated code asks for a grpc.Server and uses of it what InvokeServer has.
    repo_pb2_grpc.add_RepoServiceServicer_to_server(service, cast("grpc.Server", cast("Any", invoke_server)))
    return invoke_server
