"""Checks that what the docs name exists: the commands of ./dev with their options, and the paths of the tree."""

import contextlib
import io
import re
import shlex
from collections.abc import Iterator

from dev_cli.paths import ROOT
from dev_cli.registry import COMMANDS, build_parser, load_command

_FENCE = re.compile(r"^```(?:sh|bash|console)\n(.*?)^```", re.MULTILINE | re.DOTALL)
_INLINE_COMMAND = re.compile(r"`(\./dev[^`]*)`")
_INLINE_PATH = re.compile(r"`([\w.-]+(?:/[\w.*-]+)+/?)`")
_LINK = re.compile(r"\]\((?!https?:|#)([^)#]+)(?:#[^)]*)?\)")


def find_faults() -> str:
    """Name each command that ./dev would refuse and each path that is not there."""
    faults: list[str] = []
    for page in (ROOT / "README.md", ROOT / "CHANGELOG.md", *sorted((ROOT / "docs").rglob("*.md"))):
        if not page.is_file():
            faults.append(f"{page.relative_to(ROOT)} is missing")
            continue
        text = page.read_text()
        name = page.relative_to(ROOT)
        faults += (f"{name}: {fault}" for command in commands_in(text) if (fault := fault_of_command(command)))
        faults += (f"{name}: there is no {path}" for path in paths_in(text) if not any(ROOT.glob(path.rstrip("/"))))
        faults += (
            f"{name}: its link to {link} leads nowhere"
            for link in _LINK.findall(text)
            if not (page.parent / link).exists()
        )
    return "\n".join(faults)


def commands_in(text: str) -> Iterator[str]:
    """Yield every ./dev command of a page, from its shell blocks and its running text."""
    for block in _FENCE.findall(text):
        for line in block.splitlines():
            command = line.removeprefix("$ ").split(" #")[0].strip()
            if command.startswith("./dev"):
                yield command
    yield from _INLINE_COMMAND.findall(text)


def paths_in(text: str) -> Iterator[str]:
    """Yield what the running text names as paths of the tree: their first part stands in the root."""
    for path in _INLINE_PATH.findall(text):
        if (ROOT / path.split("/")[0]).exists():
            yield path


def fault_of_command(command: str) -> str:
    """Tell why ./dev would refuse a command, or nothing; capitals stand for what the reader fills in."""
    _, *words = shlex.split(command)
    if not words:
        return ""
    name, *rest = words
    if not name.islower() or "…" in words:
        return ""
    if name not in COMMANDS:
        return f"{command}: there is no such command"
    module = load_command(name)
    if not rest or getattr(module, "PASSES_ARGUMENTS_ON", False):
        return ""
    complaint = io.StringIO()
    try:
        with contextlib.redirect_stderr(complaint):
            build_parser(name, module).parse_args(rest)
    except SystemExit:
        return f"{command}: {complaint.getvalue().splitlines()[-1]}"
    return ""
