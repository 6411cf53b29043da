"""What ./dev cost prints."""

import json

import pytest

from dev_cli import __main__ as dev
from dev_cli.cost import prices
from dev_cli.cost.prices import Price
from dev_cli.stage_names import STAGES


def test_without_a_stage_the_stages_stand_beside_each_other(capsys: pytest.CaptureFixture[str]) -> None:
    assert dev.main(["cost"]) == 0
    told = capsys.readouterr().out
    heading, *rows = told.splitlines()
    assert heading.split()[-2:] == ["dev", "prod"]
    assert any(row.startswith("Kafka (MSK)") for row in rows)
    assert any(row.startswith("messages between two") for row in rows)


def test_lines_add_up_and_name_their_prices(capsys: pytest.CaptureFixture[str]) -> None:
    assert dev.main(["cost", "--stage", "prod", "--users", "1000", "--messages", "1e6", "--json"]) == 0
    (stage,) = json.loads(capsys.readouterr().out)["stages"]
    for part in ("floor", "usage"):
        assert sum(line["usd"] for line in stage[part]) == pytest.approx(stage[f"{part}_usd"])
        for line in stage[part]:
            assert line["usd"] == pytest.approx(line["quantity"] * line["price"]["usd"])
            assert line["price"]["source"]
            assert line["price"]["read_on"]


def test_prices_that_nobody_verified_are_marked(capsys: pytest.CaptureFixture[str]) -> None:
    assert dev.main(["cost", "--stage", "prod"]) == 0
    told = capsys.readouterr().out
    assert "* not verified" in told
    assert all(line.endswith("*") for line in told.splitlines() if "RDS Proxy" in line)
    assert dev.main(["cost", "--stage", "dev"]) == 0
    assert "*" not in capsys.readouterr().out


def test_heartbeats_can_be_told_rarer_and_not_rarer_than_the_platform_bears(capsys: pytest.CaptureFixture[str]) -> None:
    words = ["cost", "--stage", "dev", "--users", "1000", "--devices", "1", "--hours", "24", "--json"]
    frames = {}
    for minutes in ("0.5", "9"):
        assert dev.main([*words, "--ping-minutes", minutes]) == 0
        (stage,) = json.loads(capsys.readouterr().out)["stages"]
        (line,) = (line for line in stage["usage"] if line["key"] == "websocket-messages")
        frames[minutes] = line["usd"]
    # 43.8 million minutes: a ping and its pong every half minute, and every nine.
    assert frames == {"0.5": pytest.approx(43.8 * 2 * 2), "9": pytest.approx(43.8 / 9 * 2)}
    with pytest.raises(SystemExit):
        dev.main([*words, "--ping-minutes", "10"])


def test_a_share_above_one_is_refused(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        dev.main(["cost", "--group-share", "20"])
    assert "no share" in capsys.readouterr().err


def test_every_price_says_what_it_is_for_and_where_it_was_read() -> None:
    found = [value for value in vars(prices).values() if isinstance(value, Price)]
    found += [
        price
        for value in vars(prices).values()
        if isinstance(value, dict)
        for price in value.values()
        if isinstance(price, Price)
    ]
    assert len(found) > 25
    assert all(price.per and price.source and price.usd > 0 for price in found)


def test_the_commands_know_the_stages_that_there_are() -> None:
    from cdk_app.stages import find_stage

    assert [find_stage(name).name for name in STAGES] == list(STAGES)
    with pytest.raises(ValueError, match=", ".join(STAGES)):
        find_stage("staging")
