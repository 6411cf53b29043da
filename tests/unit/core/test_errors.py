import re

import gochat_core.errors as errors_module
from gochat_core.errors import GochatError, InternalError, Refusal, TryLater, Unauthenticated, error_class, every_error


def test_every_code_belongs_to_one_class_and_leads_back_to_it() -> None:
    every = list(every_error())
    assert len({error.code for error in every}) == len(every)
    assert [error_class(error.code) for error in every] == every


def test_every_error_is_either_bad_for_ever_or_worth_a_retry() -> None:
    for error in every_error():
        assert issubclass(error, Refusal) != issubclass(error, TryLater)
        assert error.retryable == issubclass(error, TryLater)


def test_the_tree_at_the_top_of_the_file_is_the_tree_in_the_code() -> None:
    drawn = dict(re.findall(r"[├└]── (\w+)\s+(\d{3} \w+)", errors_module.__doc__ or ""))
    assert drawn == {error.__name__: f"{error.status} {error.code}" for error in every_error()}


def test_a_code_that_this_version_does_not_know_is_an_internal_error() -> None:
    assert error_class("invented_tomorrow") is InternalError


def test_an_error_without_words_of_its_own_speaks_its_title() -> None:
    assert Unauthenticated().detail == "Authentication is required"
    assert str(GochatError("because")) == "because"
