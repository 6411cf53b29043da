"""Checks that no module and no function grows past what one reads in one go."""

import ast
import tomllib
from collections.abc import Iterator
from pathlib import Path

from dev_cli.paths import ROOT, is_generated, source_files

MAX_MODULE_LINES = 300
MAX_FUNCTION_LINES = 40

ALLOWED = Path(__file__).with_name("sizes_allowed.toml")


def find_faults() -> str:
    """Name what is too large and not listed in sizes_allowed.toml, and what is listed there without need."""
    allowed: dict[str, str] = tomllib.loads(ALLOWED.read_text())["allowed"]
    too_large: dict[str, str] = {}
    for path in source_files():
        if not is_generated(path):
            too_large.update(oversized(path.relative_to(ROOT).as_posix(), path.read_text()))
    faults = [f"{name} has {size}" for name, size in too_large.items() if name not in allowed]
    faults += [f"{name} is listed in {ALLOWED.name} without need" for name in allowed if name not in too_large]
    faults += [f"{name} is listed in {ALLOWED.name} without a reason" for name in allowed if not allowed[name].strip()]
    return "\n".join(faults)


def oversized(name: str, source: str) -> dict[str, str]:
    """Map each part of a module that is too large (`path` or `path:function`) to its size in words."""
    sizes: dict[str, str] = {}
    lines = len(source.splitlines())
    if lines > MAX_MODULE_LINES:
        sizes[name] = f"{lines} lines (at most {MAX_MODULE_LINES})"
    for qualified_name, length in _functions(ast.parse(source), ""):
        if length > MAX_FUNCTION_LINES:
            sizes[f"{name}:{qualified_name}"] = f"{length} lines (at most {MAX_FUNCTION_LINES})"
    return sizes


def _functions(node: ast.AST, prefix: str) -> Iterator[tuple[str, int]]:
    for child in ast.iter_child_nodes(node):
        if isinstance(child, ast.FunctionDef | ast.AsyncFunctionDef):
            yield f"{prefix}{child.name}", _code_lines(child)
        if isinstance(child, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
            yield from _functions(child, f"{prefix}{child.name}.")
        else:
            yield from _functions(child, prefix)


def _code_lines(function: ast.FunctionDef | ast.AsyncFunctionDef) -> int:
    """Count a function's lines without its docstring: nobody should save on promises to stay small."""
    docstring = function.body[0] if ast.get_docstring(function, clean=False) is not None else None
    in_docstring = _line_count(docstring) if docstring else 0
    return _line_count(function) - in_docstring


def _line_count(node: ast.stmt) -> int:
    return (node.end_lineno or node.lineno) - node.lineno + 1
