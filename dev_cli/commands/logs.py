"""Shows what the functions of the local stage have logged."""

import argparse
import time
from typing import TYPE_CHECKING, Any

from dev_cli.failure import Failure
from dev_cli.stage import serving_stage
from local_stage.supervisor.cloud import ACCOUNT, REGION

if TYPE_CHECKING:
    from collections.abc import Iterator

_POLL_S = 0.5
_PREFIX = "/aws/lambda/"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the options."""
    parser.add_argument("function", nargs="?", metavar="FUNCTION", help="for example logic-upstream (default: all)")
    parser.add_argument("--follow", action="store_true", help="go on showing new lines until Ctrl-C")


def run(arguments: argparse.Namespace) -> int:
    """Print the log lines in order of time, each with its function."""
    client = _client()
    groups = [name for name in _group_names(client) if arguments.function is None or arguments.function in name]
    if not groups:
        known = ", ".join(sorted(_short(name) for name in _group_names(client))) or "none yet"
        raise Failure(f"no function {arguments.function} has logged anything.", advice=f"There are logs of: {known}.")
    since_ms = 0
    shown: set[str] = set()
    while True:
        events = sorted(
            (event["timestamp"], event["eventId"], _short(group), event["message"].rstrip())
            for group in groups
            for event in _events(client, group, since_ms)
        )
        for timestamp, event_id, function, message in events:
            if event_id not in shown:
                shown.add(event_id)
                since_ms = max(since_ms, timestamp)
                print(f"{function}  {message}", flush=True)
        if not arguments.follow:
            return 0
        time.sleep(_POLL_S)


def _client() -> Any:
    import boto3

    return boto3.client(
        "logs",
        endpoint_url=serving_stage().aws_url,
        region_name=REGION,
        aws_access_key_id=ACCOUNT,
        aws_secret_access_key="local",  # noqa: S106 - the local AWS checks none
    )


def _group_names(client: Any) -> list[str]:
    pages = client.get_paginator("describe_log_groups").paginate(logGroupNamePrefix=_PREFIX)
    return [group["logGroupName"] for page in pages for group in page["logGroups"]]


def _events(client: Any, group: str, since_ms: int) -> "Iterator[dict[str, Any]]":
    for page in client.get_paginator("filter_log_events").paginate(logGroupName=group, startTime=since_ms):
        yield from page["events"]


def _short(group: str) -> str:
    return group.removeprefix(_PREFIX)
