"""Lists every check of ./dev check."""

from dev_cli.checks import docs, docstrings, imports, javascript, sizes, sql
from dev_cli.checks.check import Check, run_tool
from dev_cli.generation.generated import stale_files
from dev_cli.paths import ROOT, SOURCE_FOLDERS


def every_check() -> tuple[Check, ...]:
    """Give the checks, the slowest first, so that the quick ones run beside it."""
    return (
        Check(name="types", find_faults=_check_types),
        Check(name="imports", find_faults=imports.find_faults),
        Check(name="generated files", find_faults=_check_generated),
        Check(name="format", find_faults=lambda: run_tool("ruff", ["format", "--check", "--quiet", "--diff", "."])),
        Check(name="lint", find_faults=lambda: run_tool("ruff", ["check", "--quiet", "."])),
        Check(name="sizes", find_faults=sizes.find_faults),
        Check(name="module docstrings", find_faults=docstrings.find_faults),
        Check(name="sql", find_faults=sql.find_faults),
        Check(name="javascript", find_faults=javascript.find_faults),
        Check(name="docs", find_faults=docs.find_faults),
    )


def _check_types() -> str:
    folders = [folder for folder in SOURCE_FOLDERS if any((ROOT / folder).rglob("*.py"))]
    return run_tool("mypy", ["--no-error-summary", *folders])


def _check_generated() -> str:
    stale = [str(path.relative_to(ROOT)) for path in stale_files()]
    return "".join(f"{path} is not as its source says: run ./dev generate\n" for path in stale)
