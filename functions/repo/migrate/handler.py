"""Applies the migrations when the deployment's custom resource asks for it."""

import os
from typing import Literal, TypedDict

from gochat_core.errors import Unavailable
from gochat_repo.migrate import migrate_from
from repo.migrate import wiring


class Answer(TypedDict):
    """What the custom resource gets: it asks again while MySQL is away (a paused Aurora resumes in 15 s)."""

    status: Literal["migrated", "unavailable"]
    applied: list[str]
    cause: str


def handle(event: object, context: object) -> Answer:  # noqa: ARG001 - Lambda's signature
    """Run the migrations that are missing; safe to repeat.

    A migration that can never succeed raises, so that the deployment fails and rolls back.
    """
    try:
        applied = migrate_from(os.environ)
    except Unavailable as fault:
        cause = str(fault.__cause__ or fault)
        wiring.logger().warning("mysql is unavailable", extra={"cause": cause})
        return {"status": "unavailable", "applied": [], "cause": cause}
    wiring.logger().info("migrated", extra={"applied": applied})
    return {"status": "migrated", "applied": applied, "cause": ""}
