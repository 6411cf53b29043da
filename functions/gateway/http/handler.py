"""Answers every request of the HTTP API."""

from typing import Any

from gateway.http import wiring


def handle(event: dict[str, Any], context: object) -> dict[str, Any]:
    """Answer one request; never raises for what a client sent."""
    return wiring.app().handle(event, context)
