"""Checks the web page's modules: they parse, say what they are for, stay small, and never make markup from text."""

import re
import subprocess
from pathlib import Path

from dev_cli.checks.docstrings import MAX_LENGTH
from dev_cli.checks.sizes import MAX_MODULE_LINES
from dev_cli.generation.code_map import javascript_purpose
from dev_cli.paths import ROOT, web_modules
from dev_cli.setup.node import node_environment

# What somebody wrote must never become markup, and the page's policy allows neither of them.
_MARKUP = re.compile(r"\b(innerHTML|outerHTML|insertAdjacentHTML|document\.write|eval)\b|new Function\b")


# One process for all: `node --check` takes a single file.
_PARSE = """
const { readFileSync } = require("node:fs"), { SourceTextModule } = require("node:vm");
for (const path of process.argv.slice(1)) {
  try { new SourceTextModule(readFileSync(path, "utf8"), { identifier: path }); }
  catch (fault) { console.log(`${path}: ${fault}`); }
}
"""


def find_faults() -> str:
    """Name each module that Node can't parse, or that breaks a rule of the house."""
    modules = web_modules()
    faults = [f"{path.relative_to(ROOT)}: {fault}" for path in modules for fault in faults_of(path.read_text())]
    return "\n".join([*faults, *_unparsable(modules)])


def _unparsable(modules: list[Path]) -> list[str]:
    command = [
        node_environment()["JSII_NODE"],
        "--no-warnings",
        "--experimental-vm-modules",
        "-e",
        _PARSE,
        *map(str, modules),
    ]
    node = subprocess.run(command, capture_output=True, text=True, check=False)
    return [text for text in (node.stdout.strip(), node.stderr.strip()) if text]


def faults_of(source: str) -> list[str]:
    """Say what is wrong with a module's text."""
    faults = []
    lines = source.splitlines()
    purpose = javascript_purpose(source)
    if not purpose.endswith((".", ":")):
        faults.append("does not open with a comment whose first line says what it is for")
    if len(lines) > MAX_MODULE_LINES:
        faults.append(f"{len(lines)} lines (at most {MAX_MODULE_LINES})")
    if len(purpose) > MAX_LENGTH:
        faults.append(f"its first line is longer than {MAX_LENGTH} characters")
    faults += [
        f"line {number} uses {found.group()}" for number, line in enumerate(lines, 1) if (found := _MARKUP.search(line))
    ]
    return faults
