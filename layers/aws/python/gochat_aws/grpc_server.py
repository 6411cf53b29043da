"""Serves over HTTP/2 what is otherwise invoked: a real grpc.server, each of whose threads stands for a container."""

import signal
import threading
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from types import FrameType
from typing import Any

import grpc

from gochat_aws.invoke_envelope import MAX_MESSAGE_BYTES
from gochat_aws.invoke_server import CallDetails, InvokeServer

WORKERS = 16
"""Calls that run at once; each has adapters of its own: a database session, cache and broker connections."""

DRAIN_S = 20.0
"""How long calls may go on after SIGTERM; below the 30 s after which ECS kills (ECS developer guide, `stopTimeout`)."""


class ContainerHandler(grpc.GenericRpcHandler):  # type: ignore[type-arg]  # at run time it takes none
    """Answer each call in its thread's own container, as Lambda would: wirings are made for one call at a time."""

    def __init__(self, build: Callable[[], InvokeServer]) -> None:
        """Build one container at once, so that settings that are missing show at the start."""
        self._build = build
        self._first = build()
        self._own = threading.local()

    def service(self, handler_call_details: Any) -> Any:
        """Return what answers the call, or None for a method that nobody serves here."""
        # Copied, because grpc's own object must not outlive this method.
        details = CallDetails(
            method=handler_call_details.method, invocation_metadata=handler_call_details.invocation_metadata
        )
        known = self._first.find_handler(details)
        if known is None:
            return None

        def answer(request: Any, context: grpc.ServicerContext) -> Any:
            handler = self._container().find_handler(details)
            assert handler is not None
            assert handler.unary_unary is not None
            return handler.unary_unary(request, context)

        return grpc.unary_unary_rpc_method_handler(
            answer, request_deserializer=known.request_deserializer, response_serializer=known.response_serializer
        )

    def service_names(self) -> list[str]:
        """Name the services, each as `package.Service`."""
        return sorted({name.split("/")[1] for name in self._first.method_names()})

    def _container(self) -> InvokeServer:
        if not hasattr(self._own, "server"):
            self._own.server = self._build()
        server: InvokeServer = self._own.server
        return server


def make_grpc_server(handler: ContainerHandler, *, workers: int = WORKERS) -> grpc.Server:
    """Return a server that answers with this handler; it listens nowhere yet."""
    server = grpc.server(
        ThreadPoolExecutor(max_workers=workers, thread_name_prefix="grpc"),
        options=(
            ("grpc.max_receive_message_length", MAX_MESSAGE_BYTES),
            ("grpc.max_send_message_length", MAX_MESSAGE_BYTES),
            # Two servers on one port would share its calls: a taken port is to be a failure.
            ("grpc.so_reuseport", 0),
        ),
    )
    server.add_generic_rpc_handlers((handler,))
    return server


class Health:
    """The standard services that any client knows: grpc.health.v1 and server reflection."""

    def __init__(self, server: grpc.Server, service_names: Iterable[str]) -> None:
        """Add both services to a server that has not started; the health of every service is SERVING."""
        # Of the group `container`: no layer carries them, a Lambda function is asked neither.
        from grpc_health.v1 import health, health_pb2, health_pb2_grpc
        from grpc_reflection.v1alpha import reflection

        self._servicer = health.HealthServicer()
        health_pb2_grpc.add_HealthServicer_to_server(self._servicer, server)
        for name in ("", *service_names):
            self._servicer.set(name, health_pb2.HealthCheckResponse.SERVING)
        reflection.enable_server_reflection((*service_names, health.SERVICE_NAME, reflection.SERVICE_NAME), server)

    def drain(self) -> None:
        """Answer NOT_SERVING from now on, so that balancers send no more calls."""
        self._servicer.enter_graceful_shutdown()


def serve(
    build: Callable[[], InvokeServer],
    *,
    address: str,
    on_start: Callable[[str], None],
    on_drain: Callable[[], None] = lambda: None,
) -> None:
    """Serve until SIGTERM or SIGINT, then finish the calls under way; call it in the main thread.

    `on_start` is told the address, with the port that was found where it asks for port 0; `on_drain` runs before calls
    are refused. Raises RuntimeError when the address is taken.
    """
    handler = ContainerHandler(build)
    server = make_grpc_server(handler)
    health = Health(server, handler.service_names())
    port = server.add_insecure_port(address)
    stopping = threading.Event()

    def stop(_number: int, _frame: FrameType | None) -> None:
        stopping.set()

    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, stop)
    server.start()
    on_start(f"{address.rpartition(':')[0]}:{port}")
    stopping.wait()
    health.drain()
    on_drain()
    server.stop(DRAIN_S).wait()
