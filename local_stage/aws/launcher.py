"""Start the local AWS: MiniStack with the parts of this package in place, on one loopback port, until a signal."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import os
import resource
import signal
import socket
import threading
from importlib.metadata import version
from typing import Any

import hypercorn.asyncio.run
from hypercorn.asyncio import serve
from hypercorn.config import Config
from ministack import app as ministack_app

from local_stage.aws import (
    api_tables,
    cloud_map,
    cloudformation_types,
    custom_resources,
    event_source_fields,
    http_cors,
    http_gateway,
    metrics,
    s3_front,
    schedules,
    xray_api,
)
from local_stage.aws.connections_api import ConnectionsApi
from local_stage.aws.front import Front
from local_stage.aws.function_code import CodeStore
from local_stage.aws.function_pool import FunctionPools
from local_stage.aws.function_runtime import FunctionRuntime
from local_stage.aws.options import HOST, Options
from local_stage.aws.pinned import MINISTACK_VERSION, PinnedNameError, require
from local_stage.aws.tracing import TraceStore
from local_stage.aws.websocket_connection import Cuts
from local_stage.aws.websocket_gateway import WebSocketGateway
from local_stage.aws.xray_api import Application, Receive, Scope, Send

# Open requests get this long to end; after it the process leaves, whatever still waits (a custom resource, say).
GRACE_S = 0.5
LAST_RESORT_S = 1.0

require(ministack_app, "app")
require(hypercorn.asyncio.run, "TCPServer")


def run(options: Options) -> int:
    """Serve until SIGTERM or SIGINT and give the exit code; every function process is gone when it returns."""
    if version("ministack") != MINISTACK_VERSION:
        raise PinnedNameError(f"local_stage.aws needs ministack=={MINISTACK_VERSION}, not {version('ministack')}.")
    logging.getLogger().setLevel(options.log_level)
    listener = _listen(options.port)
    pools = FunctionPools(most_of_one_function=options.processes_a_function, freeze_idle=options.freeze_idle_functions)
    traces = TraceStore()
    FunctionRuntime(
        endpoint_url=options.endpoint_url, code=CodeStore(options.state_dir / "code"), pools=pools, traces=traces
    ).install()
    gateway = WebSocketGateway(cuts=Cuts(idle_s=options.websocket_idle_s, lifetime_s=options.websocket_lifetime_s))
    connections = ConnectionsApi(gateway=gateway)
    connections.install()
    gateway.install()
    Front(gateway=gateway, connections=connections).install()
    api_tables.install()
    http_gateway.install()
    http_cors.install()
    metrics.install()
    schedules.install()
    cloud_map.install()
    cloudformation_types.install()
    custom_resources.install()
    event_source_fields.install()
    _raise_file_limit()
    loop = asyncio.new_event_loop()
    try:
        application = _announced(xray_api.before(s3_front.before(ministack_app.app), traces), options)
        loop.run_until_complete(_serve(application, options, listener, pools, gateway))
    finally:
        pools.close()
    # Threads that wait for a custom resource's answer or a slow function would keep an orderly exit waiting with them.
    os._exit(0)


def _listen(port: int) -> socket.socket:
    listener = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listener.bind((HOST, port))
    except OSError as error:
        raise SystemExit(f"{HOST}:{port} cannot be bound ({error.strerror}); choose another --port.") from error
    listener.listen(1024)
    listener.setblocking(False)
    return listener


async def _serve(
    application: Application, options: Options, listener: socket.socket, pools: FunctionPools, gateway: WebSocketGateway
) -> None:
    stopping = asyncio.Event()
    loop = asyncio.get_running_loop()

    def stop() -> None:
        gateway.stop()
        stopping.set()
        timer = threading.Timer(LAST_RESORT_S, _leave, args=(pools,))
        timer.daemon = True
        timer.start()

    for signal_number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(signal_number, stop)
    config = Config()
    config.bind = [f"fd://{listener.fileno()}"]
    config.keep_alive_timeout = 75
    config.keep_alive_max_requests = 1_000_000_000
    config.graceful_timeout = GRACE_S
    config.loglevel = options.log_level
    config.accesslog = None
    with contextlib.suppress(asyncio.CancelledError):
        await serve(application, config, shutdown_trigger=stopping.wait)


def _leave(pools: FunctionPools) -> None:
    pools.close()
    os._exit(0)


def _announced(behind: Application, options: Options) -> Application:
    """Wrap an application: say on standard output when it has started."""

    async def application(scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "lifespan":
            await behind(scope, receive, send)
            return

        async def announce(event: dict[str, Any]) -> None:
            await send(event)
            if event["type"] == "lifespan.startup.complete":
                print(f"ready {options.endpoint_url}", flush=True)

        await behind(scope, receive, announce)

    return application


def _raise_file_limit() -> None:
    """Allow a socket for each of thousands of connections."""
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    with contextlib.suppress(ValueError, OSError):
        resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
