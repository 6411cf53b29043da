"""Reads what Lambda's Invoke answered: success, a failure of the function, or no invocation at all."""

import json
from typing import Any

from local_stage.mappings.verdicts import FunctionFailed, ItemsFailed, NotInvoked, Outcome, PayloadTooLarge, Succeeded

_ERROR_LENGTH = 500


def read_answer(payload: bytes, *, function_error: str | None, honours_item_failures: bool) -> Outcome:
    """Return the outcome of an invocation that reached the function.

    The rules for `batchItemFailures` are those of "Success and failure conditions": nothing, null or an empty list is
    a success; an identifier that is empty, null or of another shape fails the whole batch.
    """
    if function_error:
        return FunctionFailed(error=f"{function_error}: {payload[:_ERROR_LENGTH].decode(errors='replace')}")
    if not honours_item_failures:
        return Succeeded()
    try:
        answer = json.loads(payload or b"null")
    except ValueError:
        return FunctionFailed(error="the function's answer is no JSON", may_split=False)
    items = answer.get("batchItemFailures") if isinstance(answer, dict) else None
    if not items:
        return Succeeded()
    return _read_items(items)


def read_refusal(code: str, message: str) -> Outcome:
    """Return the outcome of an Invoke that Lambda itself refused.

    Whatever the reason (throttled, busy with an update, not found, no permission), the function did not see the
    records: they wait, and the attempt does not count. Only a payload over 6 MB is the batch's own fault.
    """
    if code == "RequestTooLargeException":
        return PayloadTooLarge()
    return NotInvoked(reason=f"{code}: {message[:_ERROR_LENGTH]}")


def _read_items(items: Any) -> Outcome:
    offsets: dict[str, set[int]] = {}
    if not isinstance(items, list):
        return FunctionFailed(error="batchItemFailures is no list", may_split=False)
    for item in items:
        identifier = item.get("itemIdentifier") if isinstance(item, dict) else None
        place = identifier.get("partition") if isinstance(identifier, dict) else None
        offset = identifier.get("offset") if isinstance(identifier, dict) else None
        if not isinstance(place, str) or not isinstance(offset, int) or isinstance(offset, bool):
            return FunctionFailed(error=f"batchItemFailures has a bad itemIdentifier: {item!r}", may_split=False)
        offsets.setdefault(place, set()).add(offset)
    return ItemsFailed(offsets={place: frozenset(found) for place, found in offsets.items()})
