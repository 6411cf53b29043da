"""Runs a function of ours inside the VPC for a custom resource, which from there could not answer CloudFormation."""

import json
import logging
import time
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

import boto3
from botocore.config import Config
from botocore.exceptions import ClientError, HTTPClientError, ReadTimeoutError
from botocore.exceptions import ConnectionError as HTTPConnectionError

if TYPE_CHECKING:
    from mypy_boto3_lambda import LambdaClient

logger = logging.getLogger()

RETRY_EVERY_S = 5.0
RESERVE_MS = 20_000
"""Time kept back for the answer to CloudFormation."""

NOT_READY = ("ResourceConflictException", "TooManyRequestsException", "ServiceException")
"""What Invoke says of a function whose network is still being attached, or that is throttled."""


STILL_RUNNING = "it runs for longer than a deployment may wait, and goes on: deploy again when it has ended"


class InnerFunctionFailed(Exception):
    """The function ran into something that trying again does not mend, or what it speaks to stayed away."""


class Patience:
    """Decides how long to keep trying."""

    def __init__(self, remaining_ms: Callable[[], int]) -> None:
        """Take how long this invocation may still run."""
        self._invocation_ms = remaining_ms

    def another_try(self, reason: str) -> bool:
        """Wait a little and say True; False once too little time is left."""
        if self._remaining_ms() < RETRY_EVERY_S * 1_000:
            return False
        logger.info("not ready (%s): trying again", reason)
        time.sleep(RETRY_EVERY_S)
        return True

    @property
    def remaining_s(self) -> float:
        """How long a single call may still take."""
        return max(1.0, self._remaining_ms() / 1_000)

    def _remaining_ms(self) -> int:
        return self._invocation_ms() - RESERVE_MS


def run_until_done(
    function_name: str, payload: Mapping[str, Any], patience: Patience, *, done: str, store: str
) -> dict[str, Any]:
    """Invoke a function until it has reached its store, and return its answer, whose `status` is `done` then.

    It answers another status while the store is away, and raises for what would fail again in the same way. Raises
    InnerFunctionFailed for both, for the first once patience ends. The function must bear being repeated.
    """
    while True:
        answer = _invoke(function_name, payload, patience)
        if answer.get("status") == done:
            return answer
        if not patience.another_try(str(answer)):
            raise InnerFunctionFailed(f"{store} could not be reached or is busy: {answer}")


def _invoke(function_name: str, payload: Mapping[str, Any], patience: Patience) -> dict[str, Any]:
    # One attempt a call, which may take what time is left: botocore's own retry would start a second run beside one
    # that is merely slow.
    patient = Config(read_timeout=patience.remaining_s, retries={"total_max_attempts": 1})
    client: LambdaClient = boto3.client("lambda", config=patient)
    try:
        result = client.invoke(FunctionName=function_name, Payload=json.dumps(payload).encode())
    except ClientError as fault:
        if fault.response["Error"]["Code"] in NOT_READY:
            return {"status": fault.response["Error"]["Code"]}
        raise
    except ReadTimeoutError:
        raise InnerFunctionFailed(STILL_RUNNING) from None
    except (HTTPClientError, HTTPConnectionError) as fault:
        return {"status": "unavailable", "cause": str(fault)}
    answer: dict[str, Any] = json.loads(result["Payload"].read())
    if result.get("FunctionError"):
        raise InnerFunctionFailed(f"{answer.get('errorType')}: {answer.get('errorMessage')}")
    return answer
