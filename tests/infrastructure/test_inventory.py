"""Every resource of the stages on AWS stands in docs/inventory, so that a change that adds or loses one shows it."""

import re
from pathlib import Path

import pytest

from tests.infrastructure.synthesis import Resource, Synthesis

PAGES = Path(__file__).resolve().parents[2] / "docs" / "inventory"
RENEWAL = "./dev test tests/infrastructure/test_inventory.py --renew-inventory"

_HASHES = re.compile("(?<=.)[0-9A-F]{8}([0-9a-f]{32})?$")


def test_the_inventory_names_every_resource(managed_stage: Synthesis, pytestconfig: pytest.Config) -> None:
    page, expected = PAGES / f"{managed_stage.stage}.md", render(managed_stage)
    if pytestconfig.getoption("--renew-inventory"):
        page.parent.mkdir(exist_ok=True)
        page.write_text(expected)

    assert page.read_text() == expected, f"the resources changed: if that is meant, run `{RENEWAL}`"


def render(stage: Synthesis) -> str:
    """Write the page of a stage: a table for each stack, a row for each type of resource."""
    resources = stage.resources()
    types = {resource.type for resource in resources}
    lines = [
        f"# What stands in the stage `{stage.stage}`",
        "",
        f"{len(resources)} resources of {len(types)} types. Written by `{RENEWAL}`; don't edit.",
    ]
    for stack in sorted({resource.stack for resource in resources}):
        own = [resource for resource in resources if resource.stack == stack]
        lines += ["", f"## {stack}: {len(own)}", "", "| type | count | names |", "|---|---|---|"]
        for type_ in sorted({resource.type for resource in own}):
            names = sorted(_name(resource) for resource in own if resource.type == type_)
            lines.append(f"| {type_} | {len(names)} | {', '.join(names)} |")
    return "\n".join([*lines, ""])


def _name(resource: Resource) -> str:
    """Return a logical id without the hashes that the CDK appends: that of a version changes with its code."""
    return _HASHES.sub("", resource.logical_id)
