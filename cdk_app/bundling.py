"""Builds what Lambda gets, without Docker: functions and layers, byte-compiled for the Python that will run them.

    python -m cdk_app.bundling [local|dev|prod]

builds a stage's bundles ahead of synthesis. That is the only step that may use the network (third-party wheels, from
the package index, when uv.lock or the target has changed); what it built is found again under `.gochat/bundles/`.
"""

import hashlib
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

from cdk_app import stages, wheels
from cdk_app.byte_code import Compiler, CompilerMissing, NativeCompiler, webassembly_compiler
from cdk_app.settings import Stage
from cdk_app.tools import find_interpreter

ROOT = Path(__file__).resolve().parent.parent
BUNDLES = ROOT / ".gochat" / "bundles"

FUNCTION_PACKAGES = ("gateway", "logic", "task", "repo")
SOURCE_LAYERS = ("core", "contracts", "aws", "repo", "client")
RESOURCES = "custom_resources"

# What a running function never reads. Hidden files come from editors and file managers.
_SKIPPED_FOLDERS = ("__pycache__", "tests")
_SKIPPED_SUFFIXES = (".pyc", ".pyi", ".proto")

RECIPE = "2"
"""Counts the changes of this module that change its output: part of every bundle's hash."""

# Bundles of a name to keep: a synthesis that runs beside this one may still be reading the one before.
_KEPT = 3


class BundlingError(Exception):
    """A bundle could not be built; the message says what to do."""


@dataclass(frozen=True, kw_only=True)
class Target:
    """The Python that will run the code; `platform` as uv names it, None for this machine's own."""

    python: str
    platform: str | None

    @property
    def name(self) -> str:
        """The folder name of its bundles."""
        return f"{self.platform or 'native'}-python{self.python}"


LAMBDA = Target(python="3.13", platform="aarch64-manylinux_2_34")
"""arm64 on Amazon Linux 2023, which has glibc 2.34 (Lambda developer guide, "Lambda runtimes")."""


def target_of(stage: Stage) -> Target:
    """Give the target of a stage: the local AWS runs functions with the interpreter that runs this app."""
    if stage.on_emulator:
        return Target(python=f"{sys.version_info.major}.{sys.version_info.minor}", platform=None)
    return LAMBDA


@dataclass(frozen=True, kw_only=True)
class Bundle:
    """A finished folder, ready to be zipped; its name ends in the hash of all that went into it."""

    path: Path


@dataclass(frozen=True, kw_only=True)
class Bundler:
    """Builds bundles of one target; `full=False` leaves out byte code and wheels, for tests that look at templates."""

    target: Target
    full: bool = True

    def function(self, package: str) -> Bundle:
        """Bundle `functions/<package>` as `<package>/`."""
        return self._sources(package, ROOT / "functions" / package, package, "/var/task")

    def layer(self, layer: str) -> Bundle:
        """Bundle the packages of `layers/<layer>/python`; `wheels` is built from uv.lock."""
        if layer == "wheels":
            return self._wheels()
        return self._sources(layer, ROOT / "layers" / layer / "python", "python", "/opt")

    def custom_resources(self) -> Bundle:
        """Bundle the handlers of the custom resources under the import path that they have here."""
        inside = f"cdk_app/{RESOURCES}"
        return self._sources("custom-resources", ROOT / "cdk_app" / RESOURCES, inside, "/var/task")

    def _sources(self, name: str, source: Path, inside: str, mount: str) -> Bundle:
        files = list(source_files(source))
        if not files:
            raise BundlingError(f"nothing to bundle in {source}")
        compiler = self._compiler()
        digest = self._digest(compiler, inside)
        for file in files:
            digest.update(f"{file.relative_to(source).as_posix()}\0".encode())
            digest.update(hashlib.sha256(file.read_bytes()).digest())

        def build(into: Path) -> None:
            for file in files:
                copy = into / inside / file.relative_to(source)
                copy.parent.mkdir(parents=True, exist_ok=True)
                shutil.copyfile(file, copy)
            if compiler:
                compiler.compile_tree(into, mount=mount)

        return Bundle(path=self._built(name, digest.hexdigest()[:16], build))

    def _wheels(self) -> Bundle:
        requirements = wheels.requirements(ROOT)
        compiler = self._compiler()
        digest = self._digest(compiler, wheels.RECIPE)
        digest.update(requirements.encode())

        def build(into: Path) -> None:
            if self.full:
                wheels.install(requirements, into / "python", python=self.target.python, platform=self.target.platform)
            else:
                (into / "python").mkdir()
                (into / "python" / "requirements.txt").write_text(requirements)
            if compiler:
                compiler.compile_tree(into, mount="/opt")

        return Bundle(path=self._built("wheels", digest.hexdigest()[:16], build))

    def _compiler(self) -> Compiler | None:
        """Give what compiles for the target, None where byte code is left out."""
        if not self.full:
            return None
        try:
            if self.target.platform:
                return webassembly_compiler(self.target.python)
        except CompilerMissing as fault:
            raise BundlingError(str(fault)) from fault
        interpreter = find_interpreter(self.target.python)
        if interpreter is None:
            raise BundlingError(f"there is no Python {self.target.python} on this machine")
        return NativeCompiler(interpreter=interpreter)

    def _digest(self, compiler: Compiler | None, *more: str) -> "hashlib._Hash":
        tag = compiler.key if compiler else "sources"
        return hashlib.sha256("\0".join((RECIPE, self.target.name, str(self.full), tag, *more, "")).encode())

    def _built(self, name: str, key: str, build: Callable[[Path], None]) -> Path:
        """Return the folder of this key, building it first where there is none; safe beside other syntheses."""
        home = BUNDLES / self.target.name / name
        finished = home / key
        if finished.is_dir():
            os.utime(finished)
            return finished
        home.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=home, prefix=".") as scratch:
            content = Path(scratch) / key
            content.mkdir()
            try:
                build(content)
                _open_to_all(content)
            except (OSError, subprocess.CalledProcessError) as fault:
                output = getattr(fault, "stderr", "") or ""
                raise BundlingError(f"could not build {name} for {self.target.name}: {fault}\n{output}") from fault
            try:
                content.rename(finished)
            except OSError:
                # Another synthesis has put the very same content there meanwhile.
                if not finished.is_dir():
                    raise
        _prune(home)
        return finished


def source_files(folder: Path) -> Iterator[Path]:
    """Yield the files of a package that belong into a bundle, sorted by path."""
    for path in sorted(folder.rglob("*")):
        parts = path.relative_to(folder).parts
        if (
            path.is_file()
            and path.suffix not in _SKIPPED_SUFFIXES
            and not any(part in _SKIPPED_FOLDERS or part.startswith(".") for part in parts)
        ):
            yield path


def _open_to_all(folder: Path) -> None:
    """Let everybody read: modes go into the zip file, and Lambda runs code as a user who owns none of it.

    Without it a bundle that was built under a strict umask deploys, and fails at its first start.
    """
    for path in (folder, *folder.rglob("*")):
        path.chmod(0o755 if path.is_dir() else 0o644)


def _prune(home: Path) -> None:
    """Remove the oldest bundles of one name."""
    finished = [path for path in home.iterdir() if not path.name.startswith(".")]
    for old in sorted(finished, key=lambda path: path.stat().st_mtime)[:-_KEPT]:
        shutil.rmtree(old, ignore_errors=True)


def build_all(stage: Stage) -> list[Bundle]:
    """Build every bundle of a stage."""
    bundler = Bundler(target=target_of(stage))
    return [
        *(bundler.layer(layer) for layer in (*SOURCE_LAYERS, "wheels")),
        *(bundler.function(package) for package in FUNCTION_PACKAGES),
        bundler.custom_resources(),
    ]


def main(arguments: list[str]) -> int:
    """Build the bundles of the named stages (local when none is named); returns the exit code."""
    for name in arguments or ["local"]:
        try:
            build_all(stages.find_stage(name))
        except (BundlingError, ValueError) as fault:
            sys.stderr.write(f"{fault}\n")
            return 1
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
