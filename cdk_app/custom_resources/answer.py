"""Answers CloudFormation: runs a custom resource's code and tells the outcome on every path."""

import json
import logging
import urllib.request
from collections.abc import Callable, Mapping
from typing import Any, NotRequired, Protocol, TypedDict

logger = logging.getLogger()
logger.setLevel(logging.INFO)

ANSWER_TIMEOUT_S = 20
MAX_REASON = 1_000
"""CloudFormation refuses answers above 4 KB (CloudFormation user guide, "Custom resource response objects")."""


class Event(TypedDict):
    """What CloudFormation sends; every leaf of the properties arrives as text."""

    RequestType: str
    RequestId: str
    ResponseURL: str
    StackId: str
    LogicalResourceId: str
    PhysicalResourceId: NotRequired[str]
    ResourceProperties: dict[str, Any]
    OldResourceProperties: NotRequired[dict[str, Any]]


class Context(Protocol):
    """What is used of Lambda's context."""

    log_stream_name: str

    def get_remaining_time_in_millis(self) -> int:
        """Tell how long this invocation may still run."""


Attributes = Mapping[str, str]


def answer(event: Event, context: Context, physical_id: str, work: Callable[[], Attributes]) -> None:
    """Run `work` for one event and send its attributes, or why it failed, to CloudFormation.

    Never raises for a failure of the work: CloudFormation would wait for the answer until the resource times out, and
    Lambda would run the work twice more. `physical_id` names the resource for ever: another one in the answer to an
    update would make CloudFormation delete "the old resource".
    """
    name = event.get("PhysicalResourceId") or physical_id
    try:
        attributes = work()
    except Exception as fault:
        # The boundary: whatever went wrong must reach CloudFormation.
        logger.exception("%s of %s failed", event["RequestType"], event["LogicalResourceId"])
        reason = f"{type(fault).__name__}: {fault}"[:MAX_REASON]
        _send(event, name, {"Status": "FAILED", "Reason": f"{reason} (log stream {context.log_stream_name})"})
        return
    _send(event, name, {"Status": "SUCCESS", "Data": dict(attributes)})


def _send(event: Event, physical_id: str, outcome: dict[str, Any]) -> None:
    body = json.dumps(
        {
            **outcome,
            "PhysicalResourceId": physical_id,
            "StackId": event["StackId"],
            "RequestId": event["RequestId"],
            "LogicalResourceId": event["LogicalResourceId"],
        }
    ).encode()
    # The URL is presigned for a request without a content type: any other header breaks the signature.
    request = urllib.request.Request(  # noqa: S310 - CloudFormation's own URL
        event["ResponseURL"], data=body, method="PUT", headers={"Content-Type": "", "Content-Length": str(len(body))}
    )
    with urllib.request.urlopen(request, timeout=ANSWER_TIMEOUT_S):  # noqa: S310 - as above
        logger.info("%s of %s: %s", event["RequestType"], event["LogicalResourceId"], outcome["Status"])
