"""What ./dev generate writes."""

from pathlib import Path

import pytest

from dev_cli.generation import code_map, errors_page, protobuf
from dev_cli.generation.generated import stale_files


def test_the_code_map_names_modules_with_their_purpose_and_leaves_tests_and_stubs_out() -> None:
    (page,) = code_map.pages().values()
    assert "- `code_map.py`: Writes docs/code-map.md" in page
    assert "_pb2" not in page
    assert "## tests" not in page


def test_the_page_of_errors_has_a_row_for_every_code() -> None:
    (page,) = errors_page.pages().values()
    assert "| `rate_limited` | 429 | yes |" in page
    assert "| `username_taken` | 409 | no |" in page


def test_a_contract_without_a_service_gets_no_grpc_stub() -> None:
    names = {path.name for path in protobuf.stubs()}
    assert "auth_pb2_grpc.py" in names
    assert "ended_pb2.py" in names
    assert "ended_pb2_grpc.py" not in names


def test_a_stub_whose_contract_is_gone_is_to_be_removed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(protobuf, "TARGET", tmp_path)
    orphan = tmp_path / "gochat_contracts" / "gone_pb2.py"
    orphan.parent.mkdir()
    orphan.touch()
    assert stale_files()[orphan] is None


def test_the_first_line_of_a_module_is_its_purpose(tmp_path: Path) -> None:
    module = tmp_path / "module.py"
    module.write_text('"""Says it.\n\nAnd more.\n"""\n')
    assert code_map.module_purpose(module) == "Says it."
    module.write_text("")
    assert code_map.module_purpose(module) == ""
