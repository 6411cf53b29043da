"""Builds what the desk of the dead letters needs, once per container, from typed settings."""

import os
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache

import msgspec
from aws_lambda_powertools import Logger

from gochat_aws.kafka_producer import KafkaRecordProducer, producer_from
from gochat_aws.kafka_reader import reader_from
from gochat_core.clock import SystemClock
from gochat_core.logs import make_logger
from gochat_core.metrics import Metrics
from gochat_core.settings import read_settings
from task.redrive.desk import RedriveDesk

SERVICE = "task-redrive"

READ_WITHIN_S = 25.0
"""Well below the function's 60 s, with room for what is then written."""


class Settings(msgspec.Struct, frozen=True, kw_only=True):
    """What this function reads from its environment, beside the broker's own settings."""

    stage: str
    log_level: str = "INFO"
    topic_retention_hours: int = 7 * 24


@dataclass(frozen=True, kw_only=True)
class Wiring:
    """The adapters of one container."""

    logger: Logger
    metrics: Metrics
    producer: KafkaRecordProducer
    desk: RedriveDesk


@cache
def wiring() -> Wiring:
    """Return this container's adapters."""
    return build(os.environ)


def build(environ: Mapping[str, str]) -> Wiring:
    """Build the adapters from an environment; nothing is connected yet."""
    settings = read_settings(Settings, environ)
    producer = producer_from(environ, client_id=SERVICE)
    return Wiring(
        logger=make_logger(SERVICE, settings.log_level),
        metrics=Metrics(service=SERVICE, stage=settings.stage),
        producer=producer,
        desk=RedriveDesk(
            reader=reader_from(environ, client_id=SERVICE, timeout_s=READ_WITHIN_S),
            producer=producer,
            clock=SystemClock(),
            retention_ms=settings.topic_retention_hours * 3_600_000,
        ),
    )
