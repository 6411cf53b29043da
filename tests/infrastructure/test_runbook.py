"""Every alarm leads to a heading of the runbook, and every heading there is led to by an alarm."""

import re

import pytest

from tests.infrastructure.synthesis import ROOT, Resource, Synthesis

PAGE = ROOT / "docs" / "operations.md"
REFERENCE = re.compile(r" What to do: docs/operations\.md#([a-z0-9-]+)$")


def _alarms(stage: Synthesis) -> list[Resource]:
    return stage.resources("AWS::CloudWatch::Alarm", "AWS::CloudWatch::CompositeAlarm")


def _references(stage: Synthesis) -> dict[str, str]:
    """The heading that each alarm names."""
    found = {alarm.logical_id: REFERENCE.search(_text(alarm)) for alarm in _alarms(stage)}
    assert all(found.values()), [name for name, match in found.items() if not match]
    return {name: match[1] for name, match in found.items() if match}


def _text(alarm: Resource) -> str:
    description = alarm.properties["AlarmDescription"]
    return description if isinstance(description, str) else str(description["Fn::Join"][1][-1])


def _headings() -> set[str]:
    """The headings below "Alarms", as links write them."""
    section = PAGE.read_text().split("\n## Alarms\n")[1].split("\n## ")[0]
    return {
        re.sub(r"[^a-z0-9 -]", "", heading.lower()).replace(" ", "-")
        for heading in re.findall(r"^### (.+)$", section, re.MULTILINE)
    }


def test_every_alarm_ends_in_a_heading_that_exists(variant: Synthesis) -> None:
    assert set(_references(variant).values()) <= _headings()


def test_no_heading_is_left_over(syntheses: dict[str, Synthesis]) -> None:
    led_to = {heading for stage in syntheses.values() for heading in _references(stage).values()}
    assert _headings() - led_to == set()


@pytest.mark.parametrize("name", ["dev", "prod", "external", "two-cells", "custom-domain"])
def test_an_alarm_is_found_by_its_name(syntheses: dict[str, Synthesis], name: str) -> None:
    names = [alarm.properties["AlarmName"] for alarm in _alarms(syntheses[name])]
    assert len(names) == len(set(names))
    assert all(alarm.startswith(f"gochat-{syntheses[name].stage}-") for alarm in names)
