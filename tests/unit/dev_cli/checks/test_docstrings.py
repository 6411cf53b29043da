"""The check of the modules' first lines."""

import pytest

from dev_cli.checks.docstrings import fault_of


@pytest.mark.parametrize("source", ["", '"""Says what it is for."""\n', '"""Says it.\n\nAnd more.\n"""\nx = 1\n'])
def test_one_sentence_or_an_empty_module_passes(source: str) -> None:
    assert fault_of(source) == ""


@pytest.mark.parametrize(
    "source",
    ["x = 1\n", '"""Runs on\nand on."""\n', '"""No sentence"""\n', f'"""{"long " * 30}."""\n'],
)
def test_a_missing_long_or_half_sentence_is_a_fault(source: str) -> None:
    assert fault_of(source)
