"""Puts a boundary around every method of a server, whichever transport its calls come by."""

from collections.abc import Callable
from typing import Any

import grpc

Behaviour = Callable[[Any, grpc.ServicerContext], Any]
"""One method of a servicer."""


class BoundaryInterceptor(grpc.ServerInterceptor):  # type: ignore[type-arg]  # at run time it takes none
    """Put a boundary around unary methods; give it to an `InvokeServer` or a `grpc.server`.

    `wrap` gets a method's full name, `/package.Service/Method`, and the method, and returns what the server calls.
    """

    def __init__(self, wrap: Callable[[str, Behaviour], Behaviour]) -> None:
        self._wrap = wrap

    def intercept_service(self, continuation: Any, handler_call_details: Any) -> Any:
        """Return the method's handler with the boundary around it; streams and unknown methods are left as they are."""
        handler = continuation(handler_call_details)
        if handler is None or handler.unary_unary is None:
            return handler
        return grpc.unary_unary_rpc_method_handler(
            self._wrap(handler_call_details.method, handler.unary_unary),
            request_deserializer=handler.request_deserializer,
            response_serializer=handler.response_serializer,
        )
