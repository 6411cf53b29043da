"""Builds what the canary needs, once per container; nothing of it stands in the VPC."""

import os
from collections.abc import Mapping
from functools import cache

import msgspec

from gochat_aws.secrets import CachedSecret
from gochat_client.door import Door, HttpSend
from gochat_core.clock import SystemClock
from gochat_core.logs import make_logger
from gochat_core.metrics import Metrics
from gochat_core.settings import read_settings
from task.canary.song import Canary

SERVICE = "task-canary"

PATIENCE_S = 15.0
"""Of each call and each frame: three cold starts in a row, and still much longer than anybody would wait."""


class Settings(msgspec.Struct, frozen=True, kw_only=True):
    """What the environment tells."""

    stage: str
    http_url: str
    canary_secret_arn: str
    canary_every_minutes: int
    log_level: str = "INFO"


@cache
def wiring() -> Canary:
    """Return this container's canary."""
    return build(os.environ)


def build(environ: Mapping[str, str]) -> Canary:
    """Build it from an environment; nothing is connected yet."""
    settings = read_settings(Settings, environ)
    send = HttpSend(timeout_s=PATIENCE_S)
    return Canary(
        read_seed=CachedSecret(settings.canary_secret_arn).read,
        make_door=lambda: Door(settings.http_url, patience_s=PATIENCE_S, send=send),
        patience_s=PATIENCE_S,
        every_minutes=settings.canary_every_minutes,
        clock=SystemClock(),
        logger=make_logger(SERVICE, settings.log_level),
        metrics=Metrics(service=SERVICE, stage=settings.stage),
    )
