"""The pages that promise a test for each case keep their word."""

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]


@pytest.mark.parametrize("page", ["idempotency.md", "concurrency.md"])
def test_every_case_of_the_page_has_its_test(page: str) -> None:
    written = {
        name
        for path in (ROOT / "tests").rglob("test_*.py")
        for name in re.findall(r"^def (test_\w+)", path.read_text(), re.M)
    }
    cases = [line for line in (ROOT / "docs" / page).read_text().splitlines() if re.match(r"\| (?!#|-|these)", line)]
    assert cases
    for case in cases:
        named = re.findall(r"`(test_\w+)`", case)
        assert named, f"no test is named for: {case}"
        assert set(named) <= written, f"{set(named) - written} is not there"
