"""Reads what a queue of failed asynchronous invocations brings: what the function was first invoked with."""

from collections.abc import Iterator, Mapping
from typing import Any

import msgspec


class _Failure(msgspec.Struct, frozen=True, rename="camel"):
    request_payload: dict[str, Any]


def read_failed_invocations(event: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
    """Yield the payloads. Raises `msgspec.MsgspecError` for a message that Lambda has not put there.

    Shape: AWS Lambda developer guide, "Using Lambda with Amazon SQS" and "Capturing records of Lambda asynchronous
    invocations".
    """
    for record in event["Records"]:
        yield msgspec.json.decode(record["body"], type=_Failure).request_payload


def is_failed_invocation(event: Mapping[str, Any]) -> bool:
    """Tell whether an event comes from a queue; those of Kafka have `records`, in lower case."""
    return "Records" in event
