"""Compiles bundles: with this machine's Python for itself, and with a pinned CPython in WebAssembly for Lambda.

Lambda's file system is read-only, so a package without `.pyc` is compiled again by every cold start, for two seconds. A
`.pyc` carries the magic number of the release that wrote it and any other one ignores it: only Python 3.13 can compile
for Lambda's python3.13. Byte code is the same on every platform, so the 3.13 that npm has as WebAssembly (`pyodide`,
pinned by hash in `dev_cli/setup/node_packages/`) compiles on any machine that can synthesize at all, and the same
sources give the same bytes on each.
"""

import json
import os
import shutil
import subprocess
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Protocol

_ROOT = Path(__file__).resolve().parent.parent
_NODE_MODULES = _ROOT / ".gochat" / "node" / "node_modules"
_PROGRAM = Path(__file__).with_suffix(".mjs")

MAGIC_NUMBERS = {"3.13": "f30d0d0a"}
"""The magic number of each release that the WebAssembly compiler may have: 3571 (CPython, `pycore_magic_number.h`)."""


class CompilerMissing(Exception):
    """There is nothing here that can compile for the target; the message says how to get it."""


class Compiler(Protocol):
    """Whatever writes the `.pyc` files of a bundle."""

    @property
    def key(self) -> str:
        """What its output depends on, besides the sources: part of every bundle's hash."""

    def compile_tree(self, folder: Path, *, mount: str) -> None:
        """Write the `.pyc` of every module below `folder`; CalledProcessError if one does not compile.

        Unchecked-hash files hold no time stamp, so that the same sources give the same bytes, and are never compared
        with their source, whose time stamp the zip file changes. `mount` stands in tracebacks for the folder's path
        here.
        """


@dataclass(frozen=True, kw_only=True)
class NativeCompiler:
    """An interpreter of this machine."""

    interpreter: Path

    @property
    def key(self) -> str:
        """Its magic number: bundles of two releases must not share a key."""
        return _magic(self.interpreter)

    def compile_tree(self, folder: Path, *, mount: str) -> None:
        """Compile as `Compiler` says; the hash seed fixes the order of set constants."""
        # Not -I, which would ignore the seed; the empty environment and -P keep other modules away as well.
        command = [str(self.interpreter), "-P", "-m", "compileall", "-q", "-f", "--invalidation-mode", "unchecked-hash"]
        command += ["-s", str(folder), "-p", mount, str(folder)]
        subprocess.run(command, check=True, capture_output=True, text=True, env={"PYTHONHASHSEED": "0"})


@dataclass(frozen=True, kw_only=True)
class WebAssemblyCompiler:
    """CPython under Node: the same bytes on every machine, two seconds to start."""

    node: Path
    package: Path
    magic: str

    @property
    def key(self) -> str:
        """Its version and its magic number."""
        return f"pyodide {json.loads((self.package / 'package.json').read_text())['version']} {self.magic}"

    def compile_tree(self, folder: Path, *, mount: str) -> None:
        """Compile as `Compiler` says, in a process of its own, so that no bundle's bytes depend on another one."""
        command = [str(self.node), str(_PROGRAM), str(self.package), str(folder), mount, self.magic]
        subprocess.run(command, check=True, capture_output=True, text=True)


def webassembly_compiler(release: str) -> WebAssemblyCompiler:
    """Find the compiler of this release (`3.13`) where the set-up has put it; CompilerMissing if it has not."""
    magic = MAGIC_NUMBERS.get(release)
    if magic is None:
        raise CompilerMissing(f"nothing here compiles for Python {release} on another machine")
    package = _NODE_MODULES / "pyodide"
    # As jsii, the CDK's bridge to Node, finds it.
    node = os.environ.get("JSII_NODE") or shutil.which("node")
    if node is None or not (package / "pyodide.asm.wasm").is_file():
        raise CompilerMissing(
            f"what compiles for Lambda's Python {release} is not installed here: ./dev synth --stage dev sets it up"
        )
    return WebAssemblyCompiler(node=Path(node), package=package, magic=magic)


@cache
def _magic(interpreter: Path) -> str:
    program = "import importlib.util; print(importlib.util.MAGIC_NUMBER.hex())"
    return subprocess.run(
        [str(interpreter), "-I", "-c", program], check=True, capture_output=True, text=True
    ).stdout.strip()
