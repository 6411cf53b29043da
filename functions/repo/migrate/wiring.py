"""Builds what the migration needs, once per container."""

import os
from functools import cache

from aws_lambda_powertools import Logger

from gochat_core.logs import make_logger


@cache
def logger() -> Logger:
    """Return this function's logger."""
    return make_logger("repo-migrate", os.environ.get("GOCHAT_LOG_LEVEL") or "INFO")
