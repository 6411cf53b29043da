"""Builds the audit's adapters once per container, from typed settings; it speaks to the database alone."""

import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache

import msgspec
from aws_lambda_powertools import Logger

from gochat_core.clock import Clock, SystemClock
from gochat_core.logs import make_logger
from gochat_core.metrics import Metrics
from gochat_core.settings import read_settings
from gochat_core.sweeps import Duty
from gochat_repo.loss_audit import LossAudits
from gochat_repo.mysql import Database, database_from
from repo.audit.announcements import AnnouncementAudit
from repo.audit.conversations import ConversationAudit

SERVICE = "repo-audit"


class Settings(msgspec.Struct, frozen=True, kw_only=True):
    """What this function reads from its environment, beside the database's own settings."""

    stage: str
    log_level: str = "INFO"


@dataclass(frozen=True, kw_only=True)
class Wiring:
    """The adapters of one container."""

    clock: Clock
    logger: Logger
    metrics: Metrics
    database: Database
    duties: Sequence[Duty]


@cache
def wiring() -> Wiring:
    """Return this container's adapters."""
    return build(os.environ)


def build(environ: Mapping[str, str], *, clock: Clock | None = None) -> Wiring:
    """Build the adapters from an environment; nothing is connected yet."""
    settings = read_settings(Settings, environ)
    clock = clock or SystemClock()
    database = database_from(environ)
    logger = make_logger(SERVICE, settings.log_level)
    metrics = Metrics(service=SERVICE, stage=settings.stage)
    announcements = AnnouncementAudit(database=database, clock=clock, logger=logger, metrics=metrics)
    conversations = ConversationAudit(audits=LossAudits(database), clock=clock, logger=logger, metrics=metrics)
    return Wiring(
        clock=clock,
        logger=logger,
        metrics=metrics,
        database=database,
        duties=[
            Duty(name="announcements", limit_s=5, run=announcements.run),
            Duty(name="conversations", limit_s=30, run=conversations.run),
        ],
    )
