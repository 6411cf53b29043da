"""Structured logs: one line a request or a batch, never a token, a password or the text of a message."""

from aws_lambda_powertools import Logger


def make_logger(service: str, level: str = "INFO") -> Logger:
    """Return the JSON logger of one function; call it once per container, from `wiring.py`.

    Lines carry `service` (`gateway-websocket`, …), `timestamp` in UTC and whatever the call passes as `extra`.
    Called again for the same service, the last level holds; Powertools by itself keeps the first one.
    """
    logger = Logger(service=service, level=level, utc=True, log_uncaught_exceptions=False)
    logger.setLevel(level)
    return logger
