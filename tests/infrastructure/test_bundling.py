"""Bundles hold just what a function reads, compiled for the Python that will run it, the same bytes each time."""

import hashlib
import importlib.util
import shutil
import sys
import zipfile
from pathlib import Path

import pytest

from cdk_app import bundling, stages, wheels
from cdk_app.bundling import Bundler, BundlingError, Target
from cdk_app.tools import find_interpreter

# The set becomes a constant, whose order in the byte code is a matter of the hash seed.
HANDLER = """
def handle(event, context):
    return event in {"alice", "bob", "carol", "dave", "erin", "frank", "grace", "heidi"}
"""

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


def test_without_the_target_s_python_the_bundle_is_whole_but_says_that_it_is_slow(
    checkout: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(bundling, "find_interpreter", lambda _: None)
    bundle = Bundler(target=bundling.LAMBDA).function("greeter")
    assert not bundle.compiled
    assert not list(bundle.path.rglob("*.pyc"))


def test_byte_code_for_lambda_is_made_by_python_3_13_alone(checkout: Path) -> None:
    bundle = Bundler(target=bundling.LAMBDA).function("greeter")
    tags = {path.name.split(".")[1] for path in bundle.path.rglob("*.pyc")}
    assert tags == ({"cpython-313"} if find_interpreter("3.13") else set())


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
