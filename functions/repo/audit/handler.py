"""Audits once when the schedule asks for it."""

from collections.abc import Mapping
from typing import Any

from gochat_core.sweeps import run_duties
from repo.audit.wiring import wiring


def handle(event: Mapping[str, Any], context: object) -> dict[str, Any]:  # noqa: ARG001 - Lambda's signature
    """Audit what changed and return what was found; two at once harm nothing."""
    parts = wiring()
    return run_duties(parts.duties, clock=parts.clock, logger=parts.logger, metrics=parts.metrics)
