"""Hands what can never be sent to the worker, which reaches the dead-letter topic; this function does not."""

from collections.abc import Callable, Sequence

import msgspec

from gochat_aws.function_invoke import EventInvoker, EventRefusedError
from gochat_contracts.deliver_reports import DeadLetters
from gochat_contracts.records import DeadLetter
from gochat_core.errors import Unavailable


def hand_over(worker: Callable[[], EventInvoker], letters: Sequence[DeadLetter]) -> None:
    """Have the worker keep them, each by an invocation of its own. Raises Unavailable; may then have handed over some.

    On return Lambda holds them, and what the worker fails at comes again (cdk_app/parts/redrive.py).
    """
    try:
        for letter in letters:
            worker().invoke_event(msgspec.json.encode(DeadLetters(letters=(letter,))))
    except EventRefusedError as refusal:
        raise Unavailable("Lambda did not take the dead letters") from refusal
