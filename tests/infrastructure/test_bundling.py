"""Bundles hold just what a function reads, compiled for the Python that will run it, the same bytes each time."""

import dataclasses
import hashlib
import importlib.util
import shutil
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

from cdk_app import bundling, byte_code, stages, wheels
from cdk_app.bundling import Bundler, BundlingError, Target
from tests.infrastructure.inspection import MAGIC_NUMBER

# The set becomes a constant, whose order in the byte code is a matter of the hash seed.
HANDLER = """
def handle(event, context):
    return event in {"alice", "bob", "carol", "dave", "erin", "frank", "grace", "heidi"}
"""

# Whatever byte code may hold: constants of every kind, names used again, closures, patterns, annotations, tables of
# lines and exceptions.
SAMPLE = '''"""A sample."""

from dataclasses import dataclass
from typing import Generic, TypeVar

T = TypeVar("T")
LARGE = (2**31, 2**63 - 1, -(2**70), 10**40, 0.1, 1e308, 3j, b"bytes", "Grüße 👋", ..., None)


@dataclass(frozen=True, kw_only=True)
class Box(Generic[T]):
    """A box."""

    value: T
    names: frozenset[str] = frozenset({"alice", "bob", "carol"})

    async def open(self, *keys: str, **more: int) -> list[T]:
        found = [key async for key in self._seek(*keys) if key in {"alice", "bob", "carol", "dave", 1, (2, "x")}]
        try:
            async with self as opened, opened:
                return [opened.value for _ in found] or [*more.items(), f"{self.value!r:>{len(keys)}}"]
        except* (KeyError, ValueError) as group:
            raise RuntimeError(f"{group=}") from group
        finally:
            del found


def choose(thing: object, *, default: int = -1) -> int | str:
    match thing:
        case {"kind": "box", **rest} if rest:
            return max((len(name) for name in rest), key=lambda size: size % 7 or default)
        case [int(first), *_] | Box(value=first):
            return first
        case "alice" | "bob" as name:
            return name
    return 86_400 * 1000 if (size := len(str(thing))) > 2 ** 40 else size
'''
SAMPLE_SHA256 = "89a67d72a4ce51b8b091416a74b6efc806b9bed268859de1c3dd43bd1e922063"

HERE = Target(python=f"{sys.version_info.major}.{sys.version_info.minor}", platform=None)


@pytest.fixture
def checkout(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A checkout with one function, beside things that belong into no bundle."""
    root = tmp_path / "checkout"
    package = root / "functions" / "greeter"
    (package / "hello").mkdir(parents=True)
    (package / "__init__.py").write_text("")
    (package / "hello" / "handler.py").write_text(HANDLER)
    (package / "hello" / "words.sql").write_text("SELECT 1")
    for junk in ("__pycache__/old.cpython-311.pyc", "tests/test_hello.py", ".hidden", "hello/types.pyi"):
        path = package / junk
        path.parent.mkdir(exist_ok=True)
        path.write_text("junk")
    monkeypatch.setattr(bundling, "ROOT", root)
    monkeypatch.setattr(bundling, "BUNDLES", root / ".gochat" / "bundles")
    return root


def _content(folder: Path) -> dict[str, bytes]:
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def test_a_bundle_holds_sources_and_byte_code_and_nothing_else(checkout: Path) -> None:
    bundle = Bundler(target=HERE).function("greeter")
    tag = sys.implementation.cache_tag
    assert set(_content(bundle.path)) == {
        "greeter/__init__.py",
        f"greeter/__pycache__/__init__.{tag}.pyc",
        "greeter/hello/handler.py",
        f"greeter/hello/__pycache__/handler.{tag}.pyc",
        "greeter/hello/words.sql",
    }


def test_byte_code_is_never_compared_with_its_source_and_names_no_folder_of_this_machine(checkout: Path) -> None:
    bundle = Bundler(target=HERE).function("greeter")
    (compiled,) = (bundle.path / "greeter" / "hello" / "__pycache__").iterdir()
    code = compiled.read_bytes()
    assert code[:4] == importlib.util.MAGIC_NUMBER
    assert code[4:8] == (0b01).to_bytes(4, "little"), "PEP 552: hash-based, unchecked"
    assert b"/var/task/greeter/hello/handler.py" in code
    assert str(checkout).encode() not in code


def test_two_checkouts_give_the_same_bytes(checkout: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    first = Bundler(target=HERE).function("greeter")
    moved = tmp_path / "another place"
    shutil.copytree(checkout / "functions", moved / "functions")
    monkeypatch.setattr(bundling, "ROOT", moved)
    monkeypatch.setattr(bundling, "BUNDLES", moved / "bundles")
    second = Bundler(target=HERE).function("greeter")
    assert first.path.name == second.path.name
    assert _content(first.path) == _content(second.path)


def test_an_unchanged_package_is_not_built_again_and_a_changed_one_is(checkout: Path) -> None:
    first = Bundler(target=HERE).function("greeter")
    (first.path / "marker").touch()
    assert (Bundler(target=HERE).function("greeter").path / "marker").exists()
    (checkout / "functions" / "greeter" / "hello" / "handler.py").write_text("def handle(e, c): ...\n")
    changed = Bundler(target=HERE).function("greeter")
    assert changed.path != first.path
    assert not (changed.path / "marker").exists()


def test_old_bundles_are_removed(checkout: Path) -> None:
    handler = checkout / "functions" / "greeter" / "hello" / "handler.py"
    for number in range(6):
        handler.write_text(f"NUMBER = {number}\n")
        last = Bundler(target=HERE).function("greeter").path
    kept = list(last.parent.iterdir())
    assert len(kept) == 3
    assert last in kept


def test_code_that_does_not_compile_fails_here_and_not_at_the_first_message(checkout: Path) -> None:
    (checkout / "functions" / "greeter" / "hello" / "handler.py").write_text("def handle(:\n")
    with pytest.raises(BundlingError, match="greeter"):
        Bundler(target=HERE).function("greeter")
    assert not list((checkout / ".gochat" / "bundles" / HERE.name / "greeter").iterdir()), "no half bundle is left"


def test_a_missing_package_is_named(checkout: Path) -> None:
    with pytest.raises(BundlingError, match=r"nothing to bundle in .*nobody"):
        Bundler(target=HERE).function("nobody")


def test_byte_code_for_lambda_is_what_a_native_python_3_13_makes(checkout: Path) -> None:
    """The digest is of the file that Debian 13's own CPython 3.13.5 for x86-64 makes of this module, as it does here.

    Renew it with `python3.13 -m compileall --invalidation-mode unchecked-hash -s … -p /var/task` and a hash seed of 0.
    """
    module = checkout / "functions" / "greeter" / "hello" / "sample.py"
    module.write_text(SAMPLE)
    bundle = Bundler(target=bundling.LAMBDA).function("greeter")
    compiled = bundle.path / "greeter" / "hello" / "__pycache__" / "sample.cpython-313.pyc"
    code = compiled.read_bytes()
    assert b"/var/task/greeter/hello/sample.py" in code
    assert hashlib.sha256(code).hexdigest() == SAMPLE_SHA256


def test_a_module_that_does_not_compile_for_lambda_is_named(checkout: Path) -> None:
    (checkout / "functions" / "greeter" / "hello" / "handler.py").write_text("def handle(:\n")
    with pytest.raises(BundlingError, match=r"hello/handler\.py"):
        Bundler(target=bundling.LAMBDA).function("greeter")


def test_without_the_compiler_for_lambda_nothing_is_bundled_and_the_way_to_it_is_told(
    checkout: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(byte_code, "_NODE_MODULES", checkout)
    with pytest.raises(BundlingError, match=r"\./dev synth"):
        Bundler(target=bundling.LAMBDA).function("greeter")


def test_a_compiler_of_another_release_is_refused(checkout: Path) -> None:
    compiler = dataclasses.replace(byte_code.webassembly_compiler("3.13"), magic="00000d0a")
    with pytest.raises(subprocess.CalledProcessError) as refused:
        compiler.compile_tree(checkout / "functions", mount="/var/task")
    assert "this is Python 3.13." in refused.value.stderr
    assert not list(checkout.rglob("sample*.pyc"))


def test_a_release_that_nothing_here_compiles_for_is_refused(checkout: Path) -> None:
    moon = dataclasses.replace(bundling.LAMBDA, python="3.99")
    with pytest.raises(BundlingError, match=r"Python 3\.99"):
        Bundler(target=moon).function("greeter")


def test_the_compiler_s_version_and_magic_number_are_part_of_a_bundle_s_name(
    checkout: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    compiler = byte_code.webassembly_compiler("3.13")
    assert compiler.key == "pyodide 0.29.4 f30d0d0a"
    assert bytes.fromhex(compiler.magic) == MAGIC_NUMBER
    names = set()
    for magic in ("f30d0d0a", "00000d0a"):
        monkeypatch.setitem(byte_code.MAGIC_NUMBERS, "3.13", magic)
        names.add(Bundler(target=bundling.LAMBDA)._digest(byte_code.webassembly_compiler("3.13")).hexdigest())
    assert len(names) == 2


def test_the_local_stage_runs_on_this_interpreter_and_the_others_on_lambda_s() -> None:
    assert bundling.target_of(stages.LOCAL) == HERE
    assert bundling.target_of(stages.DEV) == bundling.target_of(stages.PROD) == bundling.LAMBDA


def test_the_wheels_are_exactly_the_locked_dependencies() -> None:
    locked = wheels.requirements(bundling.ROOT)
    assert "kafka-python==" in locked
    assert "--hash=sha256:" in locked
    assert "aws-cdk-lib" not in locked
    assert "boto3" not in locked, "Lambda's runtime brings it"


def test_wheels_install_slimmed_from_a_package_s_wheel(tmp_path: Path) -> None:
    wheel = _make_wheel(tmp_path)
    digest = hashlib.sha256(wheel.read_bytes()).hexdigest()
    into = tmp_path / "layer"
    wheels.install(f"{wheel.as_uri()} --hash=sha256:{digest}\n", into, python=HERE.python, platform=None)
    assert set(_content(into)) == {"thing/__init__.py", "thing-1.0.dist-info/METADATA", "thing-1.0.dist-info/WHEEL"}


def _make_wheel(folder: Path) -> Path:
    """Write a wheel with what wheels often hold and functions never read."""
    wheel = folder / "thing-1.0-py3-none-any.whl"
    files = {
        "thing/__init__.py": "x = 1\n",
        "thing/__init__.pyi": "x: int\n",
        "thing/fast.c": "int x;",
        "thing/tests/test_thing.py": "",
        "thing-1.0.dist-info/METADATA": "Metadata-Version: 2.1\nName: thing\nVersion: 1.0\n",
        "thing-1.0.dist-info/WHEEL": "Wheel-Version: 1.0\nGenerator: x\nRoot-Is-Purelib: true\nTag: py3-none-any\n",
    }
    record = "".join(f"{name},,\n" for name in [*files, "thing-1.0.dist-info/RECORD"])
    with zipfile.ZipFile(wheel, "w") as archive:
        for name, text in (files | {"thing-1.0.dist-info/RECORD": record}).items():
            archive.writestr(name, text)
    return wheel


def test_the_command_names_an_unknown_stage(capsys: pytest.CaptureFixture[str]) -> None:
    assert bundling.main(["moon"]) == 1
    assert "there is no stage 'moon'" in capsys.readouterr().err
