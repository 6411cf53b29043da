"""The code of each release runs on the schemas of those after it: what it says to MySQL is said there again."""

import ast
import re
from collections.abc import Iterator

import pytest

from dev_cli.paths import ROOT
from gochat_repo.migrate import load_migrations
from local_stage.services.mysql import MySqlServer
from tests.fixtures.grown_schema import growth
from tests.fixtures.services import fresh_database
from tests.fixtures.statement_shapes import branches
from tests.integration.repo.conftest import mysql_settings
from tests.integration.schema.replay import Recording, behaviour, differences, recordings

FIRST_RECORDED = 7
"""The first schema whose code was recorded; no deployment has an older one."""

RECORD = "./dev test --record-statements"

REPO_LAYER = ROOT / "layers" / "repo" / "python" / "gochat_repo"
NOT_RECORDED = {"migrate.py", "mysql_connection.py"}
"""Speaks only at deployments; prepares sessions."""

RECORDINGS = recordings()


def test_every_schema_has_its_recording() -> None:
    versions = [migration.version for migration in load_migrations() if migration.version >= FIRST_RECORDED]
    missing = sorted(set(versions) - {recording.version for recording in RECORDINGS})
    assert missing == [], f"record what the code of these says, each before the next one is added: {RECORD}"


@pytest.mark.parametrize("recording", RECORDINGS, ids=lambda recording: f"{recording.version:04d}")
def test_migrations_that_were_released_stay_as_they_are(recording: Recording) -> None:
    files = {migration.name: migration.checksum.hex() for migration in load_migrations()}
    assert recording.migrations.items() <= files.items()


@pytest.mark.parametrize("recording", RECORDINGS, ids=lambda recording: f"{recording.version:04d}")
def test_code_runs_on_its_own_schema_and_on_every_later_one(recording: Recording, mysql_server: MySqlServer) -> None:
    steps = load_migrations()
    own = [step for step in steps if step.version <= recording.version]
    later = [*steps[len(own) :], growth(steps)]
    with fresh_database(mysql_server, label="later") as name:
        settings = mysql_settings(mysql_server, name)
        before = behaviour(settings, recording.statements, own)
        wrong = [
            f"{outcome.refusal}: {statement}"
            for statement, outcomes in before.outcomes.items()
            for outcome in outcomes
            if outcome.refusal and not outcome.refusal.startswith("1062")
        ]
        assert wrong == [], "the recording isn't of this schema"
        for number, step in enumerate(later, start=1):
            after = behaviour(settings, recording.statements, [*own, *later[:number]])
            found = differences(before, after)
            assert found == [], f"{step.name} breaks the code of {recording.version:04d}:\n" + "\n".join(found)


def test_the_newest_recording_has_all_that_the_code_can_say() -> None:
    said = [_even(statement) for statement in RECORDINGS[-1].statements]
    unsaid = [
        f"{path.name}:{line}: {pattern.pattern[:160]}"
        for path in sorted(REPO_LAYER.glob("*.py"))
        if path.name not in NOT_RECORDED
        for line, pattern in _patterns(path.read_text(encoding="utf-8"))
        if not any(map(pattern.search, said))
    ]
    assert unsaid == [], f"record them with tests that say them: {RECORD} tests/…\n" + "\n".join(unsaid)


_VERB = re.compile(r"\s*\(?(SELECT|INSERT|UPDATE|DELETE|REPLACE|WITH)\s")
_OPEN = re.compile(r"%s|\{\w*\}")


def _patterns(source: str) -> Iterator[tuple[int, re.Pattern[str]]]:
    """Yield line and pattern of each text of a module that begins as a statement does; what is put in is anything."""
    nodes = list(ast.walk(ast.parse(source)))
    pieces = {id(part) for node in nodes if isinstance(node, ast.JoinedStr) for part in node.values}
    for node in nodes:
        if isinstance(node, ast.JoinedStr):
            text = "".join(str(part.value) if isinstance(part, ast.Constant) else "%s" for part in node.values)
        elif isinstance(node, ast.Constant) and isinstance(node.value, str) and id(node) not in pieces:
            text = node.value
        else:
            continue
        if _VERB.match(text):
            for branch in branches(text):
                fixed = _OPEN.split(_even(branch.replace("%%", "%")))
                yield node.lineno, re.compile(".*?".join(map(re.escape, fixed)))


def _even(statement: str) -> str:
    return re.sub(r"\s+", " ", statement).strip()
