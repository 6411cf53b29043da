"""Answers the gRPC calls that gateway-http makes by invoking this function."""

from typing import Any

from logic.rpc import wiring


def handle(event: dict[str, Any], context: object) -> dict[str, Any]:  # noqa: ARG001 - Lambda's signature
    """Answer one call; never raises for what a client sent."""
    return wiring.server().handle(event)
