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
from gochat_repo.connection_checks import ConnectionChecks
from gochat_repo.connections import Connections
from gochat_repo.departures import Departures
from gochat_repo.expired_rows import ExpiredRows
from gochat_repo.mysql import database_from
from gochat_repo.presence import Presence
from gochat_repo.retention import Retention
from task.sweep.deferred_pushes import DeferredPushSweep
from task.sweep.departures import DepartureSweep
from task.sweep.expired_rows import RowSweep
from task.sweep.message_retention import RetentionSweep

SERVICE = "task-sweep"

DAY_MS = 24 * 3600 * 1000


class Settings(msgspec.Struct, frozen=True, kw_only=True):
    """What this function reads from its environment, beside the stores' own settings."""

    stage: str
    log_level: str = "INFO"
    offline_after_s: float = 30.0
    """How long somebody may be gone without it being told (protocol: 30 to 90 s, with a sweep a minute)."""
    message_retention_days: float = 0.0
    """How long messages keep their content; 0: for ever."""


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
    producer = producer_from(environ, client_id=SERVICE)
    return Wiring(
        clock=clock,
        logger=make_logger(SERVICE, settings.log_level),
        metrics=Metrics(service=SERVICE, stage=settings.stage),
        producer=producer,
        duties=_duties(settings, environ, producer, clock),
    )


def _duties(settings: Settings, environ: Mapping[str, str], producer: RecordProducer, clock: Clock) -> list[Duty]:
    """List what a sweep does, in its order; together well below the function's 60 s."""
    database, redis = database_from(environ), cache_from(environ)
    connections = Connections(database, redis, clock)
    departures = DepartureSweep(
        departures=Departures(redis),
        presence=Presence(database, redis),
        connections=connections,
        producer=producer,
        clock=clock,
        offline_after_ms=int(settings.offline_after_s * 1000),
    )
    deferred = DeferredPushSweep(database=database, producer=producer, clock=clock)
    rows = RowSweep(rows=ExpiredRows(database), checks=ConnectionChecks(database, connections), clock=clock)
    duties = [
        Duty(name="departures", limit_s=12, run=departures.announce_due),
        Duty(name="overaged_connections", limit_s=4, run=rows.remove_overaged_connections),
        Duty(name="deferred_pushes", limit_s=5, run=deferred.produce_due),
        Duty(name="expired_rows", limit_s=6, run=rows.delete_expired_rows),
    ]
    if settings.message_retention_days:
        retention = RetentionSweep(
            retention=Retention(database), clock=clock, retention_ms=int(settings.message_retention_days * DAY_MS)
        )
        duties.append(Duty(name="message_retention", limit_s=10, run=retention.expire_messages))
    # Last, because it may wait: whatever else there was to do is done by then.
    duties.append(Duty(name="late_departures", limit_s=20, run=departures.announce_soon_due))
    return duties
