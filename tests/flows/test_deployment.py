"""A stage's whole life by the commands that AWS stages have: look, deploy, try, rotate keys, destroy, deploy again."""

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from dev_cli.paths import ROOT
from tests.fixtures.stage import Stage, running_stage
from tests.flows.stock_client import Person

pytestmark = pytest.mark.timeout(600)
"""Each deployment synthesizes and bundles anew."""


@pytest.fixture(scope="module")
def own_stage(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stage]:
    """A stage that may be destroyed."""
    with running_stage(tmp_path_factory.mktemp("stage")) as stage:
        yield stage


def dev(home: Path, *words: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "dev_cli", *words],
        cwd=ROOT,
        env={**os.environ, "GOCHAT_HOME": str(home)},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,
    )


def kid_of(token: str) -> str:
    """Read which key a token was signed with."""
    import jwt

    return str(jwt.get_unverified_header(token)["kid"])


def status_of_call(stage: Stage, token: str) -> int:
    headers = {"authorization": f"Bearer {token}"}
    return httpx.get(f"{stage.http_url}/api/v1/users/me", headers=headers, timeout=35).status_code


def test_the_smoke_test_passes_tells_each_step_and_leaves_no_user_behind(own_stage: Stage) -> None:
    done = dev(own_stage.home, "smoke", "--stage", "local", "--json")
    assert done.returncode == 0, done.stderr
    report = json.loads(done.stdout)
    assert report["ok"]
    assert all(step["ok"] for step in report["steps"])
    assert {"they connect", "ben reads, ada sees it", "they delete themselves"} <= {s["step"] for s in report["steps"]}
    somebody = Person(own_stage.http_url, own_stage.websocket_url, "carol").register()
    found = somebody.rest.get("/users/search", params={"q": "smoke-ada"}).json()["users"]
    somebody.close()
    assert found == []


def test_a_rotation_logs_nobody_out_and_stolen_keys_log_out_everybody(own_stage: Stage) -> None:
    alice = Person(own_stage.http_url, own_stage.websocket_url, "alice").register()
    before = alice.tokens["access_token"]
    rotated = dev(own_stage.home, "rotate-keys", "--stage", "local")
    assert rotated.returncode == 0, rotated.stderr
    assert status_of_call(own_stage, before) == 200
    # Containers were replaced with their environment, so the new key signs at once.
    after = alice.log_in().tokens["access_token"]
    assert kid_of(after) != kid_of(before)
    assert status_of_call(own_stage, after) == 200
    with alice.connect() as socket:
        socket.do("hello")

    too_early = dev(own_stage.home, "rotate-keys", "--stage", "local", "--finish")
    assert too_early.returncode == 1
    assert "still good" in too_early.stderr

    replaced = dev(own_stage.home, "rotate-keys", "--stage", "local", "--compromised", "--yes")
    assert replaced.returncode == 0, replaced.stderr
    assert status_of_call(own_stage, after) == 401
    assert status_of_call(own_stage, alice.log_in().tokens["access_token"]) == 200
    alice.close()


def test_looking_changes_nothing_and_finds_the_stage_well(own_stage: Stage) -> None:
    looked = dev(own_stage.home, "deploy", "--stage", "local", "--check")
    assert looked.returncode == 0, looked.stderr
    assert "none is stuck" in looked.stdout
    assert "CDK bootstrap" in looked.stdout


def test_a_destroyed_stage_can_be_deployed_again(own_stage: Stage) -> None:
    refused = dev(own_stage.home, "destroy", "--stage", "local")
    assert refused.returncode == 1
    assert "nothing was changed" in refused.stderr
    destroyed = dev(own_stage.home, "destroy", "--stage", "local", "--yes")
    assert destroyed.returncode == 0, destroyed.stderr
    assert "Will stay:" in destroyed.stdout
    stacks = own_stage.aws("cloudformation").describe_stacks()["Stacks"]
    standing = [stack["StackName"] for stack in stacks if stack["StackStatus"] != "DELETE_COMPLETE"]
    assert not [name for name in standing if name.startswith("GoChat-local-")]
    gone = dev(own_stage.home, "smoke", "--stage", "local")
    assert gone.returncode == 1
    assert "./dev deploy --stage local" in gone.stderr

    again = dev(own_stage.home, "deploy", "--stage", "local")
    assert again.returncode == 0, again.stdout + again.stderr
    assert " works: " in again.stdout
