"""Builds what the WebSocket function needs, once per container."""

import os
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache

import msgspec
from aws_lambda_powertools import Logger

from gateway.websocket.limits import Limits
from gochat_aws.kafka_producer import RecordProducer, producer_from
from gochat_core.clock import Clock, SystemClock
from gochat_core.logs import make_logger
from gochat_core.metrics import Metrics
from gochat_core.settings import read_settings
from gochat_core.types import CellId
from gochat_repo.admission import Gate
from gochat_repo.cache import cache_from
from gochat_repo.connections import Connections
from gochat_repo.mysql import database_from
from gochat_repo.presence import Presence
from gochat_repo.sessions import SessionStore
from gochat_repo.tickets import Tickets
from gochat_repo.token_bucket import Rate

SERVICE = "gateway-websocket"

PRODUCE_TIMEOUT_S = 8.0
"""Longer than a broker's leader takes to move, well below the 25 s after which this function is stopped."""


class Settings(msgspec.Struct, frozen=True, kw_only=True):
    """What the environment tells, but for the stores, which read their own."""

    stage: str
    cell_id: str
    log_level: str = "INFO"


@dataclass(frozen=True, kw_only=True)
class Wiring:
    """What lives as long as the container."""

    cell_id: CellId
    limits: Limits
    clock: Clock
    producer: RecordProducer
    connections: Connections
    presence: Presence
    sessions: SessionStore
    tickets: Tickets
    gate: Gate
    logger: Logger
    metrics: Metrics


@cache
def wiring() -> Wiring:
    """Return this container's adapters."""
    return build(os.environ)


def build(environ: Mapping[str, str]) -> Wiring:
    """Build the adapters from an environment; nothing is connected yet."""
    settings = read_settings(Settings, environ)
    limits = read_settings(Limits, environ)
    database, redis = database_from(environ), cache_from(environ)
    sessions = SessionStore(database, redis)
    return Wiring(
        cell_id=CellId(settings.cell_id),
        limits=limits,
        clock=SystemClock(),
        producer=producer_from(environ, client_id=SERVICE, timeout_s=PRODUCE_TIMEOUT_S),
        connections=Connections(database, redis),
        presence=Presence(database, redis),
        sessions=sessions,
        tickets=Tickets(database),
        gate=Gate(
            redis,
            sessions,
            user_rate=Rate(per_s=limits.frames_per_s, burst=limits.frames_burst),
            conversation_rate=Rate(per_s=limits.conversation_messages_per_s, burst=limits.conversation_burst()),
        ),
        logger=make_logger(SERVICE, settings.log_level),
        metrics=Metrics(service=SERVICE, stage=settings.stage),
    )
