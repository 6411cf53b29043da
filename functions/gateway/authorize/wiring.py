"""Builds what the authorizer needs, once per container."""

import os
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache

import msgspec
from aws_lambda_powertools import Logger

from gochat_core.clock import SystemClock
from gochat_core.logs import make_logger
from gochat_core.settings import read_settings
from gochat_core.tokens import TokenVerifier


class Settings(msgspec.Struct, frozen=True, kw_only=True):
    """What the environment tells: the public keys as a JWKS."""

    token_public_keys: str
    log_level: str = "INFO"


@dataclass(frozen=True, kw_only=True)
class Wiring:
    """What lives as long as the container: parsed keys cost more than using them."""

    verifier: TokenVerifier
    logger: Logger


@cache
def wiring() -> Wiring:
    """Return this container's adapters."""
    return build(os.environ)


def build(environ: Mapping[str, str]) -> Wiring:
    """Build the adapters from an environment; nothing is connected yet."""
    settings = read_settings(Settings, environ)
    return Wiring(
        verifier=TokenVerifier(settings.token_public_keys, SystemClock()),
        logger=make_logger("gateway-authorize", settings.log_level),
    )
