"""The check of the web page's modules."""

import pytest

from dev_cli.checks.javascript import faults_of, find_faults

GOOD = "/** Says what it is for. */\n\nexport const one = 1;\n"


def test_the_page_passes() -> None:
    assert find_faults() == ""


def test_a_module_that_says_what_it_is_for_passes() -> None:
    assert faults_of(GOOD) == []


@pytest.mark.parametrize(
    "source",
    [
        "export const one = 1;\n",
        "/** No sentence */\n",
        GOOD + "element.innerHTML = text;\n",
        GOOD + "eval(text);\n",
        GOOD * 101,
    ],
)
def test_a_module_without_purpose_too_long_or_making_markup_is_a_fault(source: str) -> None:
    assert faults_of(source)
