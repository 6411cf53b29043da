"""Builds the upstream function's adapters once per container, from typed settings."""

import os
from dataclasses import dataclass
from functools import cache

import msgspec
from aws_lambda_powertools import Logger

from gochat_aws.kafka_producer import producer_from
from gochat_core.clock import Clock, SystemClock
from gochat_core.ids import IdMaker
from gochat_core.logs import make_logger
from gochat_core.metrics import Metrics
from gochat_core.settings import read_settings
from gochat_core.tracing import Tracer
from gochat_repo.cache import Cache, cache_from
from gochat_repo.connections import Connections
from gochat_repo.mysql import Database, database_from
from logic.announce.announcer import Announcer
from logic.pipeline.store_commands import CommandStore
from logic.upstream.batch import UpstreamBatches

SERVICE = "logic-upstream"


class UpstreamSettings(msgspec.Struct, frozen=True, kw_only=True):
    """What this function reads from its environment, beside the stores' own settings."""

    stage: str
    log_level: str = "INFO"
    partial_batch: bool = False
    contacts_only: bool = False
    """Whether friends alone may write to each other."""


@dataclass(frozen=True, kw_only=True)
class Wiring:
    """The adapters of one container."""

    settings: UpstreamSettings
    clock: Clock
    logger: Logger
    metrics: Metrics
    tracer: Tracer
    database: Database
    cache: Cache
    batches: UpstreamBatches


@cache
def wire() -> Wiring:
    """Build everything; nothing is connected before it is used."""
    settings = read_settings(UpstreamSettings, os.environ)
    clock = SystemClock()
    database, store_cache = database_from(os.environ), cache_from(os.environ)
    producer = producer_from(os.environ, client_id=SERVICE)
    announcer = Announcer(database, Connections(database, store_cache), producer, clock)
    return Wiring(
        settings=settings,
        clock=clock,
        logger=make_logger(SERVICE, settings.log_level),
        metrics=Metrics(service=SERVICE, stage=settings.stage),
        tracer=Tracer(SERVICE),
        database=database,
        cache=store_cache,
        batches=UpstreamBatches(
            CommandStore(database, IdMaker(clock), clock, contacts_only=settings.contacts_only),
            announcer,
            producer,
            clock,
            honours_partial=settings.partial_batch,
        ),
    )
