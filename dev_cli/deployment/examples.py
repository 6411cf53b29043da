"""Looks whether a stage still has the values that stand in cdk_app/stages.py as examples."""

import re
from collections.abc import Iterator
from dataclasses import fields, is_dataclass

from cdk_app.settings import Stage
from dev_cli.deployment.findings import Finding, good, wrong

EXAMPLES = re.compile(r"111122223333|\bexample\.(org|com|net)\b|0123456789abcdef|01234567-89ab-cdef", re.IGNORECASE)
"""AWS's example account, the domains kept for examples (RFC 2606), and ids that count up."""


def look_at_examples(stage: Stage) -> Iterator[Finding]:
    """Name each setting that belongs to nobody: a deployment with them fails late, by the names of hosts."""
    left = list(examples_in(stage))
    if left:
        named = "".join(f"\n       {path} = {value}" for path, value in left)
        yield wrong(
            f"the stage {stage.name} still has {len(left)} example values:{named}",
            "Put your own in their place, in cdk_app/stages.py.",
        )
    elif stage.name == "external":
        yield good("addresses, secrets and network are no examples any more")


def examples_in(value: object, path: str = "") -> Iterator[tuple[str, str]]:
    """Yield (path, value) of every text in the settings that is an example."""
    if isinstance(value, str):
        if EXAMPLES.search(value):
            yield path, value
    elif isinstance(value, tuple):
        for number, one in enumerate(value):
            yield from examples_in(one, f"{path}[{number}]")
    elif is_dataclass(value):
        for field in fields(value):
            yield from examples_in(getattr(value, field.name), f"{path}.{field.name}".lstrip("."))
