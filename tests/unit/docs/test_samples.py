"""What the docs show as printed is what the commands print, and the figures they name are those of the price file."""

import re

import pytest

from cdk_app.settings import Stage
from cdk_app.stages import DEV, PROD
from cdk_app.store_settings import Managed
from dev_cli.commands import deploy, smoke
from dev_cli.cost import prices
from dev_cli.cost.estimate import estimate
from dev_cli.cost.workload import Workload
from dev_cli.deployment.removal import ORDER
from gochat_client.steps import Timing
from tests.unit.docs.pages import ROOT, read_page

DEPLOY = read_page("docs/deploy.md")


FIGURE = re.compile(r"(?<=\$)\d[\d,]*(?:\.\d+)?")

NEAR = 0.05
"""How far figures of the pages may be off: an alarm more or less is not worth an edit."""


def figures(text: str) -> list[float]:
    """List the amounts of money that a text names."""
    return [float(figure.replace(",", "")) for figure in FIGURE.findall(text)]


def test_the_cost_that_a_deployment_tells_is_the_one_shown(capsys: pytest.CaptureFixture[str]) -> None:
    deploy._tell_cost(DEV)
    told = capsys.readouterr().out.strip()
    shown = DEPLOY.block("text", holding="The whole stage costs").splitlines()[0]
    assert FIGURE.sub("N", shown) == FIGURE.sub("N", told)
    assert figures(shown) == pytest.approx(figures(told), rel=NEAR)


@pytest.mark.parametrize("stage", [DEV, PROD], ids=lambda stage: stage.name)
def test_the_table_of_stages_names_their_floor(stage: Stage) -> None:
    (row,) = (line for line in DEPLOY.prose.splitlines() if line.startswith(f"| `{stage.name}` |"))
    found = estimate(stage, Workload())
    expected = sorted({found.floor_usd, found.floor_awake_usd})
    assert figures(row) == pytest.approx(expected, rel=NEAR)


def test_each_stack_has_its_row() -> None:
    stacks = [row for row in re.findall(r"^ *\| (\w+) \|.*\|.*\|$", DEPLOY.prose, re.MULTILINE) if row in ORDER]
    assert sorted(stacks) == sorted(ORDER)


def test_the_smoke_test_prints_such_lines(capsys: pytest.CaptureFixture[str]) -> None:
    modules = (ROOT / "dev_cli/smoke/walk.py", ROOT / "layers/client/python/gochat_client/talk.py")
    source = "".join(module.read_text() for module in modules)
    steps = {
        step.replace("{number + 1}", "1") for step in re.findall(r'"((?:the|two|they|a|ada|ben|both) [^"]+)"', source)
    }
    shown = DEPLOY.block("text", holding="the REST door answers").splitlines()
    lines = [line for line in shown if re.match(r"ok +\d+ ms", line)]
    assert len(lines) > 5
    for line in lines:
        milliseconds, step = re.fullmatch(r"ok +(\d+) ms  (.+)", line).groups()  # type: ignore[union-attr]
        assert step in steps
        smoke._tell(Timing(step=step, seconds=int(milliseconds) / 1000, ok=True))
        assert capsys.readouterr().out == f"{line}\n"


def test_prices_that_settings_and_pages_name_are_those_of_the_price_file() -> None:
    settings = (ROOT / "cdk_app/store_settings.py").read_text()
    assert f"${prices.INTERFACE_ENDPOINT.usd * 730:.2f} a month for each and zone" in settings
    nat = prices.NAT_GATEWAY.usd * 730
    assert f"${nat:.0f} a month and zone, and ${prices.NAT_DATA.usd:.3f} a GB" in settings
    assert f"${prices.ALARM.usd:.2f} a month each" in (ROOT / "cdk_app/settings.py").read_text()


def test_scaling_computes_with_the_prices_there_are() -> None:
    page = read_page("docs/scaling.md").prose
    minutes = 1e8 * 730 * 60
    frames = prices.WEBSOCKET_MESSAGES_BEYOND.usd
    for usd in (
        minutes / 1e6 * prices.CONNECTION_MINUTES.usd,
        minutes / 4 * 2 / 1e6 * frames,
        1e8 * 20 * 730 / 24 * 4.9 / 1e6 * frames,
    ):
        assert f"${round(usd, -3):,.0f}" in page


def test_the_zones_of_the_stages_are_none_that_msk_refuses() -> None:
    for stage in (DEV, PROD):
        assert isinstance(stage.stores, Managed)
        assert set(stage.stores.zone_ids) <= set(re.findall(r"use1-az\d", DEPLOY.text)) | {"use1-az4"}
