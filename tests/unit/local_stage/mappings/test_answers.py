import json
from typing import Any

import pytest

from local_stage.mappings.answers import read_answer, read_refusal
from local_stage.mappings.verdicts import FunctionFailed, ItemsFailed, NotInvoked, PayloadTooLarge, Succeeded


def answer(body: Any, *, honours: bool = True) -> object:
    return read_answer(json.dumps(body).encode(), function_error=None, honours_item_failures=honours)


@pytest.mark.parametrize("body", [None, {}, {"batchItemFailures": []}, {"batchItemFailures": None}, "text", 5])
def test_an_answer_without_failures_is_a_success(body: Any) -> None:
    assert answer(body) == Succeeded()


def test_an_empty_answer_is_a_success() -> None:
    assert read_answer(b"", function_error=None, honours_item_failures=True) == Succeeded()


def test_named_items_are_collected_by_partition() -> None:
    failures = [
        {"itemIdentifier": {"partition": place, "offset": n}} for place, n in (("t-0", 5), ("t-1", 7), ("t-0", 9))
    ]
    assert answer({"batchItemFailures": failures}) == ItemsFailed(
        offsets={"t-0": frozenset({5, 9}), "t-1": frozenset({7})}
    )


@pytest.mark.parametrize(
    "item",
    [
        {},
        {"itemIdentifier": ""},
        {"itemIdentifier": None},
        {"itemIdentifier": "t-0:5"},
        {"itemIdentifer": {"partition": "t-0", "offset": 5}},
        {"itemIdentifier": {"partition": "t-0"}},
        {"itemIdentifier": {"partition": 0, "offset": 5}},
        {"itemIdentifier": {"partition": "t-0", "offset": "5"}},
        {"itemIdentifier": {"partition": "t-0", "offset": True}},
        "t-0",
    ],
)
def test_a_bad_identifier_fails_the_whole_batch_unsplit(item: Any) -> None:
    outcome = answer({"batchItemFailures": [item]})
    assert isinstance(outcome, FunctionFailed)
    assert not outcome.may_split


@pytest.mark.parametrize("payload", [b"{", b'{"batchItemFailures": {"a": 1}}'])
def test_an_answer_of_another_shape_fails_the_whole_batch(payload: bytes) -> None:
    assert isinstance(read_answer(payload, function_error=None, honours_item_failures=True), FunctionFailed)


def test_item_failures_are_not_read_where_the_mapping_does_not_honour_them() -> None:
    failures = [{"itemIdentifier": {"partition": "t-0", "offset": 5}}]
    assert answer({"batchItemFailures": failures}, honours=False) == Succeeded()


@pytest.mark.parametrize("honours", [True, False])
def test_a_function_error_fails_the_whole_batch_and_tells_why(honours: bool) -> None:
    outcome = read_answer(b'{"errorMessage":"boom"}', function_error="Unhandled", honours_item_failures=honours)
    assert outcome == FunctionFailed(error='Unhandled: {"errorMessage":"boom"}')


@pytest.mark.parametrize(
    "code",
    [
        "TooManyRequestsException",
        "ServiceException",
        "EC2ThrottledException",
        "ResourceConflictException",
        "ResourceNotFoundException",
        "AccessDeniedException",
        "",
    ],
)
def test_whatever_lambda_refuses_has_not_reached_the_function(code: str) -> None:
    assert read_refusal(code, "why") == NotInvoked(reason=f"{code}: why")


def test_only_the_size_of_the_payload_is_the_batch_s_own_fault() -> None:
    assert read_refusal("RequestTooLargeException", "6 MB") == PayloadTooLarge()
