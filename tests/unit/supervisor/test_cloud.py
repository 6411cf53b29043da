"""What the supervisor reads from a synthesized app, and when it synthesizes anew."""

import json
from pathlib import Path

import pytest

from local_stage.supervisor.cloud import local_environment, parameters_for, parameters_of
from local_stage.supervisor.fingerprint import fingerprint

SERVICES = {
    "mysql": "mysql://root@127.0.0.1:3307/gochat",
    "redis": "redis://127.0.0.1:7000",
    "kafka": "127.0.0.1:9092",
}


def assembly(folder: Path, stacks: dict[str, list[str]]) -> Path:
    artifacts = {}
    for name, parameters in stacks.items():
        template = f"{name}.template.json"
        (folder / template).write_text(json.dumps({"Parameters": {parameter: {} for parameter in parameters}}))
        artifacts[name] = {"type": "aws:cloudformation:stack", "properties": {"templateFile": template}}
    (folder / "manifest.json").write_text(json.dumps({"artifacts": artifacts}))
    return folder


def test_each_stack_gets_the_parameters_that_it_declares(tmp_path: Path) -> None:
    app = assembly(tmp_path, {"Services": ["MysqlHost", "BootstrapVersion"], "Edge": ["KafkaBootstrap"]})
    assert parameters_of(app, {"MysqlHost": "127.0.0.1", "KafkaBootstrap": "k:1", "RedisHost": "r"}) == {
        "Services:MysqlHost": "127.0.0.1",
        "Edge:KafkaBootstrap": "k:1",
    }


def test_the_addresses_of_a_stage_become_parameters() -> None:
    parameters = parameters_for(SERVICES, "http://127.0.0.1:4566")
    assert parameters["MysqlPort"] == "3307"
    assert parameters["RedisPort"] == "7000"
    assert parameters["KafkaBootstrap"] == "127.0.0.1:9092"
    assert parameters["LocalAddress"] == "127.0.0.1:4566"


def test_a_users_own_aws_settings_never_reach_the_local_stage(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_PROFILE", "production")
    monkeypatch.setenv("AWS_SESSION_TOKEN", "secret")
    environment = local_environment("http://127.0.0.1:4566")
    assert "AWS_PROFILE" not in environment
    assert "AWS_SESSION_TOKEN" not in environment
    assert environment["AWS_ENDPOINT_URL"] == "http://127.0.0.1:4566"


def test_the_fingerprint_changes_with_content_and_names_and_not_with_caches(tmp_path: Path) -> None:
    (tmp_path / "a.py").write_text("x = 1")
    before = fingerprint([tmp_path], root=tmp_path)
    (tmp_path / "__pycache__").mkdir()
    (tmp_path / "__pycache__" / "a.pyc").write_bytes(b"cache")
    assert fingerprint([tmp_path], root=tmp_path) == before
    (tmp_path / "a.py").write_text("x = 2")
    changed = fingerprint([tmp_path], root=tmp_path)
    (tmp_path / "a.py").rename(tmp_path / "b.py")
    assert len({before, changed, fingerprint([tmp_path], root=tmp_path)}) == 3
