"""Sings when the schedule asks for it."""

from collections.abc import Mapping
from typing import Any

from task.canary.wiring import wiring


def handle(event: Mapping[str, Any], context: object) -> dict[str, Any]:  # noqa: ARG001 - Lambda's signature
    """Take one run and return how each step went."""
    return wiring().sing()
