"""Builds the sweep's adapters once per container, from typed settings."""

import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache

import msgspec
from aws_lambda_powertools import Logger

from gochat_aws.kafka_producer import RecordProducer, producer_from
from gochat_core.clock import Clock, SystemClock
from gochat_core.logs import make_logger
from gochat_core.metrics import Metrics
from gochat_core.settings import read_settings
from gochat_core.sweeps import Duty
from gochat_repo.cache import cache_from
from gochat_repo.connections import Connections
from gochat_repo.mysql import database_from
from logic.announce.announcer import Announcer
from logic.sweep.redrive import OutboxSweep

SERVICE = "logic-sweep"


class Settings(msgspec.Struct, frozen=True, kw_only=True):
    """What this function reads from its environment, beside the stores' own settings."""

    stage: str
    log_level: str = "INFO"


@dataclass(frozen=True, kw_only=True)
class Wiring:
    """The adapters of one container."""

    clock: Clock
    logger: Logger
    metrics: Metrics
    producer: RecordProducer
    duties: Sequence[Duty]


@cache
def wiring() -> Wiring:
    """Return this container's adapters."""
    return build(os.environ)


def build(environ: Mapping[str, str], *, clock: Clock | None = None) -> Wiring:
    """Build the adapters from an environment; nothing is connected yet."""
    settings = read_settings(Settings, environ)
    clock = clock or SystemClock()
    database, redis = database_from(environ), cache_from(environ)
    producer = producer_from(environ, client_id=SERVICE)
    outbox = OutboxSweep(
        database=database,
        announcer=Announcer(database, Connections(database, redis), producer, clock),
        clock=clock,
    )
    return Wiring(
        clock=clock,
        logger=make_logger(SERVICE, settings.log_level),
        metrics=Metrics(service=SERVICE, stage=settings.stage),
        producer=producer,
        duties=[Duty(name="outbox", limit_s=40, run=outbox.redrive_overdue)],
    )
