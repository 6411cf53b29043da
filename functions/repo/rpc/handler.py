"""Answers the gRPC calls of whoever may invoke this function from outside the VPC."""

from typing import Any

from repo.rpc import wiring


def handle(event: dict[str, Any], context: object) -> dict[str, Any]:  # noqa: ARG001 - Lambda's signature
    """Answer one call; never raises for what a caller sent."""
    return wiring.server().handle(event)
