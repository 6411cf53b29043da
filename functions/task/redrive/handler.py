"""Answers what an operator asks of the dead letters."""

from collections.abc import Mapping
from typing import Any

import msgspec

from gochat_core.errors import GochatError
from task.redrive.requests import RedriveLetters, Redriven, Request
from task.redrive.wiring import wiring


def handle(event: Mapping[str, Any], context: object) -> dict[str, Any]:  # noqa: ARG001 - Lambda's signature
    """Answer one request; what can't be done is told under `error`. Logs say what was done, never what letters hold."""
    parts = wiring()
    request = msgspec.convert(event, Request)
    try:
        answer = parts.desk.answer(request)
    except GochatError as error:
        parts.logger.warning("dead letters not read", extra={"operation": event["operation"], "code": error.code})
        faults = [f"{one.field} {one.message}" for one in error.faults]
        return {"error": "; ".join([error.detail, *faults])}
    extra: dict[str, object] = {"operation": event["operation"]}
    if isinstance(request, RedriveLetters) and isinstance(answer, Redriven):
        extra |= {"dry_run": request.dry_run, "verdicts": {one.place: one.outcome for one in answer.verdicts}}
        done = sum(one.outcome == "redriven" for one in answer.verdicts)
        parts.metrics.emit({"DeadLettersRedriven": ("Count", done)})
    parts.logger.info("dead letters", extra=extra)
    told: dict[str, Any] = msgspec.to_builtins(answer)
    return told
