"""./dev deploy from one end to the other, in moto's account, with a CDK CLI that only writes down what it is told."""

import json
import sys
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import boto3
import pytest

from cdk_app.stages import PROD
from dev_cli import __main__ as program
from dev_cli.aws.target import Target
from dev_cli.deployment import account, cloud_deployment

# Takes what the CDK CLI takes; `fails` in its folder holds the words at which it fails.
CLI = """
import json, pathlib, sys
here, words = pathlib.Path(__file__).parent, sys.argv[1:]
with (here / "calls").open("a") as calls:
    calls.write(json.dumps(words) + "\\n")
if words[0] == "deploy":
    urls = {"HttpUrl": "https://http.example.org", "WebSocketUrl": "wss://ws.example.org/dev"}
    pathlib.Path(words[words.index("--outputs-file") + 1]).write_text(json.dumps({"GoChat-dev-Edge": urls}))
fails = here / "fails"
sys.exit(fails.exists() and words[0] in fails.read_text())
"""


@dataclass(frozen=True)
class Cli:
    """The CLI's folder."""

    folder: Path

    def calls(self) -> list[list[str]]:
        """List what it was called with."""
        calls = self.folder / "calls"
        return [json.loads(line) for line in calls.read_text().splitlines()] if calls.exists() else []

    def fail_at(self, word: str) -> None:
        """Let a command of it fail."""
        (self.folder / "fails").write_text(word)


@pytest.fixture
def cli(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, dev: Target) -> Cli:
    """The CLI in the place of the real one; the stage `dev` stands in zones that moto has."""
    script = tmp_path / "cdk.py"
    script.write_text(CLI)
    monkeypatch.setattr(cloud_deployment, "cdk_command", lambda: [sys.executable, str(script)])
    monkeypatch.setattr(cloud_deployment, "STATE", tmp_path / "state")
    stages = {"dev": dev, "prod": replace(dev, stage=replace(dev.stage, name=PROD.name))}
    monkeypatch.setattr("dev_cli.aws.target.find_target", stages.__getitem__)
    return Cli(tmp_path)


@pytest.fixture
def bootstrapped() -> None:
    boto3.client("ssm").put_parameter(Name=account.BOOTSTRAP_PARAMETER, Value="30", Type="String")


def answer(monkeypatch: pytest.MonkeyPatch, word: str) -> None:
    monkeypatch.setattr("sys.stdin.isatty", lambda: True, raising=False)
    monkeypatch.setattr("builtins.input", lambda _prompt="": word)


def test_it_looks_synthesizes_shows_the_difference_and_deploys_that(
    cli: Cli, bootstrapped: None, capfd: pytest.CaptureFixture[str]
) -> None:
    assert program.main(["deploy", "--stage", "dev", "--yes", "--no-smoke"]) == 0
    synth, diff, deploy = cli.calls()
    assert (synth[0], diff[0], deploy[0]) == ("synth", "diff", "deploy")
    assert "stage=dev" in synth
    made = synth[synth.index("--output") + 1]
    # What was shown is what is deployed: nothing is synthesized a second time.
    assert diff[diff.index("--app") + 1] == deploy[deploy.index("--app") + 1] == made
    told = capfd.readouterr().out
    assert (
        told.index("ok     account 123456789012") < told.index("The whole stage costs $") < told.index("https://http")
    )
    assert "WebSocket  wss://ws.example.org/dev" in told


def test_looking_alone_calls_no_cdk(cli: Cli, bootstrapped: None) -> None:
    assert program.main(["deploy", "--stage", "dev", "--check"]) == 0
    assert cli.calls() == []


def test_a_fault_ends_it_before_anything_is_made(cli: Cli, capfd: pytest.CaptureFixture[str]) -> None:
    assert program.main(["deploy", "--stage", "dev", "--yes"]) == 1
    assert cli.calls() == []
    told = capfd.readouterr()
    assert "FAULT  the CDK has not been bootstrapped" in told.out
    assert "nothing was changed" in told.err


def test_the_bootstrap_comes_first(cli: Cli) -> None:
    # moto's account does not become bootstrapped by it, so the look that follows ends the command.
    assert program.main(["deploy", "--stage", "dev", "--bootstrap", "--yes"]) == 1
    assert cli.calls() == [["bootstrap", "aws://123456789012/us-east-1"]]


def test_prod_takes_no_warning_of_the_synthesis(cli: Cli, bootstrapped: None) -> None:
    cli.fail_at("synth")
    assert program.main(["deploy", "--stage", "prod", "--yes"]) == 1
    (synth,) = cli.calls()
    assert "--strict" in synth


def test_who_does_not_type_the_stage_changes_nothing(
    cli: Cli, bootstrapped: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    answer(monkeypatch, "yes")
    assert program.main(["deploy", "--stage", "dev"]) == 1
    assert [call[0] for call in cli.calls()] == ["synth", "diff"]


def test_a_failed_deployment_names_what_failed_first(
    cli: Cli,
    bootstrapped: None,
    make_stack: Callable[..., None],
    capfd: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    cli.fail_at("deploy")
    monkeypatch.setattr(
        cloud_deployment, "failed_resources", lambda _target: ["GoChat-dev-Broker: Cluster: no capacity"]
    )
    assert program.main(["deploy", "--stage", "dev", "--yes"]) == 1
    told = capfd.readouterr().err
    assert "GoChat-dev-Broker: Cluster: no capacity" in told
    assert "docs/deploy.md, “When it fails”" in told


def test_without_a_network_nobody_is_told_to_log_in(dev: Target, cli: Cli, monkeypatch: pytest.MonkeyPatch) -> None:
    from botocore.exceptions import EndpointConnectionError

    class Unreachable(Target):
        def client(self, service: str) -> Any:
            raise EndpointConnectionError(endpoint_url=f"https://{service}.us-east-1.amazonaws.com")

    nowhere = Unreachable(stage=dev.stage, session=dev.session, endpoint_url=None)
    (finding,) = account.look_at_credentials(nowhere)
    assert finding.verdict == "fault"
    assert "can't be reached" in finding.what
    assert "network" in finding.advice
