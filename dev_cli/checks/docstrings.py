"""Checks that every module opens with one line that says what it is for."""

import ast

from dev_cli.paths import ROOT, is_generated, source_files

MAX_LENGTH = 120


def find_faults() -> str:
    """Name each module whose first line is missing, runs on, or is no sentence; tests say it in their names."""
    faults: list[str] = []
    for path in source_files():
        relative = path.relative_to(ROOT)
        if is_generated(path) or relative.parts[0] == "tests":
            continue
        if fault := fault_of(path.read_text()):
            faults.append(f"{relative}: {fault}")
    return "\n".join(faults)


def fault_of(source: str) -> str:
    """Tell what is wrong with a module's docstring, or nothing; an empty module needs none."""
    tree = ast.parse(source)
    docstring = ast.get_docstring(tree)
    if not docstring:
        return "has no docstring" if tree.body else ""
    first, *rest = docstring.splitlines()
    if rest and rest[0].strip():
        return "its purpose does not fit on the docstring's first line"
    if not first.rstrip().endswith((".", ":")):
        return "the docstring's first line is no sentence"
    return "the docstring's first line is too long" if len(first) > MAX_LENGTH else ""
