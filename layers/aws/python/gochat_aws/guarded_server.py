"""Puts a boundary around every method that a generated `add_…Servicer_to_server` registers."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any, Protocol

import grpc

Behaviour = Callable[[Any, grpc.ServicerContext], Any]
"""One method of a servicer."""


class MethodRegistry(Protocol):
    """The part of a server that generated code speaks to: `InvokeServer`, or a real `grpc.Server`."""

    def add_registered_method_handlers(
        self, service_name: str, method_handlers: Mapping[str, "grpc.RpcMethodHandler[Any, Any]"]
    ) -> None:
        """Take the methods of one service."""
        ...


class GuardedServer:
    """Hand methods on to a server, each with a boundary around it.

    `wrap` gets a method's full name, `/package.Service/Method`, and the method, and returns what the server calls.
    """

    def __init__(self, server: MethodRegistry, wrap: Callable[[str, Behaviour], Behaviour]) -> None:
        self._server = server
        self._wrap = wrap

    def add_registered_method_handlers(
        self, service_name: str, method_handlers: Mapping[str, "grpc.RpcMethodHandler[Any, Any]"]
    ) -> None:
        """Take the methods of one service, as generated code hands them over."""
        guarded = {
            name: grpc.unary_unary_rpc_method_handler(
                self._wrap(f"/{service_name}/{name}", handler.unary_unary),
                request_deserializer=handler.request_deserializer,
                response_serializer=handler.response_serializer,
            )
            for name, handler in method_handlers.items()
            if handler.unary_unary is not None  # an invocation carries no stream
        }
        self._server.add_registered_method_handlers(service_name, guarded)

    def add_generic_rpc_handlers(self, generic_rpc_handlers: Sequence[object]) -> None:
        """Do nothing: generated code registers the same methods by `add_registered_method_handlers` as well."""
