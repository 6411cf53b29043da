"""Reads what the functions of a local stage have logged."""

from dataclasses import dataclass

import boto3

from local_stage.supervisor.cloud import ACCOUNT, REGION

_PREFIX = "/aws/lambda/"


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
        paginator = self._client.get_paginator("filter_log_events")
        lines = [
            LogLine(
                timestamp_ms=event["timestamp"],
                function=function,
                stream=event["logStreamName"],
                text=event["message"].rstrip(),
            )
            for function in functions
            for page in paginator.paginate(logGroupName=f"{_PREFIX}{function}", startTime=since_ms)
            for event in page["events"]
        ]
        # By time alone: the sort keeps the order in which one process wrote what it wrote within a millisecond.
        return sorted(lines, key=lambda line: line.timestamp_ms)
