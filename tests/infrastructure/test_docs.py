"""The docs name resources as the templates do."""

import re
from collections.abc import Iterator
from typing import Any

import pytest

from tests.infrastructure.synthesis import Synthesis
from tests.unit.docs.pages import written_pages

NAMED = re.compile(r"(?<![\w-])((?:/aws/(?:\w+/)+)?gochat-(?:dev|prod)(?:[-/][\w-]*)?)")

GIVEN_BY_THE_READER = {
    "gochat-prod-restored": "a cluster that one restores by hand",
    "gochat-prod-restored-1": "its instance",
    "gochat-prod-broken": "a cluster that one has put aside",
    "gochat-prod-broken-1": "its instance",
}

ANY = re.compile(r"FUNCTION|CELL|KIND")
"""What a reader fills in."""


def names_of(stage: Synthesis) -> set[str]:
    """Collect the names that the templates give, with what CloudFormation fills in as a star."""
    return {re.sub(r"\$\{[^}]*\}", "*", text) for resource in stage.resources() for text in _texts(resource.properties)}


def _texts(value: Any) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict):
        if "Fn::Join" in value:
            yield "".join(part if isinstance(part, str) else "*" for part in value["Fn::Join"][1])
        for one in value.values():
            yield from _texts(one)
    elif isinstance(value, list):
        for one in value:
            yield from _texts(one)


def is_there(name: str, names: set[str]) -> bool:
    """Tell whether the templates hold a name, or one that begins so where the docs leave its end open."""
    name = name.rstrip("-/")
    pattern = re.compile(ANY.sub(r"[\\w-]+", re.escape(name)) + r"(?:[-/*].*)?")
    return name in GIVEN_BY_THE_READER or any(pattern.fullmatch(one) for one in names)


@pytest.mark.parametrize("page", written_pages(), ids=lambda page: page.name)
def test_resources_are_named_as_the_templates_name_them(page: Any, dev: Synthesis, prod: Synthesis) -> None:
    names = names_of(dev) | names_of(prod)
    mistaken = sorted({name for name in NAMED.findall(page.text) if not is_there(name, names)})
    assert mistaken == []


def test_a_name_that_no_template_gives_is_noticed(prod: Synthesis) -> None:
    names = names_of(prod)
    assert is_there("gochat-prod", names)
    assert is_there("/aws/lambda/gochat-prod-FUNCTION", names)
    assert not is_there("gochat-prod-alarmed", names)
    assert not is_there("/aws/lambda/gochat-prod-logic-downstream", names)
