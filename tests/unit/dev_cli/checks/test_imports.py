"""The check that every folder has its place in the import rules."""

from pathlib import Path

from dev_cli.checks.imports import domain_packages, top_level_packages


def make(root: Path, *files: str) -> None:
    for file in files:
        (root / file).parent.mkdir(parents=True, exist_ok=True)
        (root / file).touch()


def test_a_package_of_an_import_root_is_found_and_the_roots_themselves_are_not(tmp_path: Path) -> None:
    make(tmp_path, "functions/gateway/http/handler.py", "layers/core/python/gochat_core/ids.py", "tool/main.py")
    roots = (tmp_path, tmp_path / "functions", tmp_path / "layers" / "core" / "python")
    assert top_level_packages(roots) == {"gateway", "gochat_core", "tool"}


def test_a_package_without_a_handler_is_a_domain(tmp_path: Path) -> None:
    make(tmp_path, "logic/rpc/handler.py", "logic/auth/register.py", "logic/__init__.py")
    assert domain_packages(tmp_path) == {"logic.auth"}
