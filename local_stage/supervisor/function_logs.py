"""Reads what the functions of a local stage have logged."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import boto3

from local_stage.supervisor.cloud import ACCOUNT, REGION

_PREFIX = "/aws/lambda/"

_MOST_EVENTS = 10_000
"""Of one answer (CloudWatch Logs API reference, "FilterLogEvents": `limit`)."""


@dataclass(frozen=True, kw_only=True)
class LogLine:
    """One line of one function's log; `stream` is the process that wrote it."""

    timestamp_ms: int
    function: str
    stream: str
    text: str


class FunctionLogs:
    """Read from the local AWS at a URL."""

    def __init__(self, aws_url: str) -> None:
        self._client = boto3.client(
            "logs",
            endpoint_url=aws_url,
            region_name=REGION,
            aws_access_key_id=ACCOUNT,
            aws_secret_access_key="local",  # noqa: S106 - the local AWS checks none
        )

    def functions(self) -> list[str]:
        """Name the functions that have a log."""
        pages = self._client.get_paginator("describe_log_groups").paginate(logGroupNamePrefix=_PREFIX)
        return sorted(group["logGroupName"].removeprefix(_PREFIX) for page in pages for group in page["logGroups"])

    def lines(self, functions: list[str], *, since_ms: int = 0) -> list[LogLine]:
        """Give the lines of these functions from a time on, oldest first."""
        lines = [
            LogLine(
                timestamp_ms=event["timestamp"],
                function=function,
                stream=event["logStreamName"],
                text=event["message"].rstrip(),
            )
            for function in functions
            for event in self._events(f"{_PREFIX}{function}", since_ms)
        ]
        # By time alone: the sort keeps the order in which one process wrote what it wrote within a millisecond.
        return sorted(lines, key=lambda line: line.timestamp_ms)

    def _events(self, group: str, since_ms: int) -> Iterator[dict[str, Any]]:
        """Yield a log's events; the local AWS gives the first 10,000 without a token for more, so ask again from there.

        The time up to which all was read stands in two answers: what was told of it once is passed over.
        """
        told = 0
        while True:
            events: list[dict[str, Any]] = self._client.filter_log_events(logGroupName=group, startTime=since_ms)[
                "events"
            ]
            yield from events[told:]
            if len(events) < _MOST_EVENTS:
                return
            last_ms = events[-1]["timestamp"]
            if last_ms == since_ms:
                # More of one millisecond than an answer holds: the rest of it can't be had.
                since_ms, told = last_ms + 1, 0
            else:
                since_ms, told = last_ms, sum(event["timestamp"] == last_ms for event in events)
