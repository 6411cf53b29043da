"""Renews the leases of whoever is registered, when the schedule asks for it."""

from collections.abc import Mapping
from typing import Any

from gateway.prober.wiring import wiring
from gochat_core.sweeps import run_duties


def handle(event: Mapping[str, Any], context: object) -> dict[str, Any]:  # noqa: ARG001  # Lambda's signature
    """Go the rounds of one run and return what was done; two at once harm nothing."""
    parts = wiring()
    return run_duties(parts.duties, clock=parts.clock, logger=parts.logger, metrics=parts.metrics)
