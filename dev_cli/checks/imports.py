"""Checks who imports whom, and that every folder has its place in the rules."""

import configparser
from pathlib import Path

from dev_cli.checks.check import run_tool
from dev_cli.paths import IMPORT_ROOTS, ROOT

RULES = ROOT / ".importlinter"

# Folders that hold Python but are no product code: tests may import whatever they test.
WITHOUT_RULES = {"tests"}


def find_faults() -> str:
    """Name folders that the rules do not mention; then let import-linter hold the rules themselves."""
    rules = configparser.ConfigParser()
    rules.read(RULES)
    packages = _words(rules["importlinter"]["root_packages"])
    domains = _words(rules["importlinter:contract:domains"]["source_modules"])
    faults = [
        f"{kind} {name} has no place in {RULES.name}"
        for kind, name in sorted(
            {("package", name) for name in top_level_packages(IMPORT_ROOTS) - packages - WITHOUT_RULES}
            | {("domain", name) for name in domain_packages(ROOT / "functions") - domains}
        )
    ]
    return "\n".join(faults) or run_tool(
        "lint-imports", ["--config", str(RULES), "--cache-dir", ".import_linter_cache"]
    )


def top_level_packages(import_roots: tuple[Path, ...]) -> set[str]:
    """Name the folders with Python that lie directly in an import root and are no import root's parents themselves."""
    containers = {parent for root in import_roots for parent in (root, *root.parents)}
    return {
        folder.name
        for root in import_roots
        if root.is_dir()
        for folder in root.iterdir()
        if folder.is_dir() and folder not in containers and folder.name.isidentifier() and any(folder.rglob("*.py"))
    }


def domain_packages(functions: Path) -> set[str]:
    """Name the packages of the functions' tree that are no functions themselves: those with business rules in them."""
    return {
        f"{service.name}.{package.name}"
        for service in functions.iterdir()
        if service.is_dir()
        for package in service.iterdir()
        if package.is_dir() and any(package.glob("*.py")) and not (package / "handler.py").is_file()
    }


def _words(text: str) -> set[str]:
    return set(text.split())
