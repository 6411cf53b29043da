"""Builds the task worker's adapters once per container, from typed settings."""

import os
from dataclasses import dataclass
from functools import cache

import msgspec
from aws_lambda_powertools import Logger

from gochat_aws.kafka_producer import RecordProducer, producer_from
from gochat_core.clock import Clock, SystemClock
from gochat_core.logs import make_logger
from gochat_core.metrics import Metrics
from gochat_core.settings import read_settings
from gochat_repo.cache import Cache, cache_from
from gochat_repo.connections import Connections
from gochat_repo.mysql import Database, database_from
from gochat_repo.read_through import ReadThrough
from gochat_repo.user_status import UserStatuses
from task.worker.batch import TaskBatches
from task.worker.fan_out import FanOuts
from task.worker.offline import OfflineTasks
from task.worker.pages import FanOutPages
from task.worker.pushes import Pushes

SERVICE = "task-worker"


class WorkerSettings(msgspec.Struct, frozen=True, kw_only=True):
    """What this function reads from its environment, beside the stores' own settings."""

    stage: str
    log_level: str = "INFO"
    partial_batch: bool = False
    fan_out_page_members: int = 500
    """About how many members of a large group one task tells, which is what a container holds at a time."""


@dataclass(frozen=True, kw_only=True)
class Wiring:
    """The adapters of one container."""

    settings: WorkerSettings
    clock: Clock
    logger: Logger
    metrics: Metrics
    database: Database
    producer: RecordProducer
    tasks: TaskBatches


@cache
def wire() -> Wiring:
    """Build everything; nothing is connected before it is used."""
    settings = read_settings(WorkerSettings, os.environ)
    clock = SystemClock()
    database, cache_client = database_from(os.environ), cache_from(os.environ)
    producer = producer_from(os.environ, client_id=SERVICE)
    return Wiring(
        settings=settings,
        clock=clock,
        logger=make_logger(SERVICE, settings.log_level),
        metrics=Metrics(service=SERVICE, stage=settings.stage),
        database=database,
        producer=producer,
        tasks=make_batches(database, cache_client, producer, clock, page_members=settings.fan_out_page_members),
    )


def make_batches(
    database: Database, cache_client: Cache, producer: RecordProducer, clock: Clock, *, page_members: int
) -> TaskBatches:
    """Put together what handles each kind of tasks."""
    values = ReadThrough(database, cache_client)
    return TaskBatches(
        FanOuts(values, producer, clock, page_members=page_members),
        FanOutPages(
            database,
            values,
            Connections(database, cache_client, clock),
            cache_client,
            producer,
            clock,
            page_members=page_members,
        ),
        OfflineTasks(
            database,
            values,
            UserStatuses(cache_client),
            producer,
            clock,
            Pushes(database, values, cache_client),
        ),
        producer,
        clock,
    )
