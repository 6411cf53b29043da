"""What Lambda gets holds code for its processor and its Python, compiled, once, and nothing that it never reads."""

import importlib.metadata
import io
import os
import shutil
import zipfile
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path

import pytest
from packaging.requirements import Requirement

from cdk_app import bundling
from cdk_app.bundling import FUNCTION_PACKAGES, LAMBDA, SOURCE_LAYERS, Bundler
from cdk_app.catalogue import FUNCTIONS, REPO_TOPICS, FunctionSpec
from tests.infrastructure import inspection
from tests.infrastructure.synthesis import Synthesis

MAX_BYTES = 60_000_000
MAX_ZIPPED_BYTES = 50_000_000
"""What Lambda takes directly, and the console shows (Lambda developer guide, "Lambda quotas")."""
MAX_LAYERS = 5
"""The same page."""

LAYERS = (*SOURCE_LAYERS, "wheels")
RESOURCES = "custom-resources"
BUNDLES = (*FUNCTION_PACKAGES, *LAYERS, RESOURCES)


@pytest.fixture(scope="session")
def bundles() -> dict[str, Path]:
    """Every bundle of the stages on AWS, by its name."""
    bundler = Bundler(target=LAMBDA)
    return {
        **{package: bundler.function(package).path for package in FUNCTION_PACKAGES},
        **{layer: bundler.layer(layer).path for layer in LAYERS},
        RESOURCES: bundler.custom_resources().path,
    }


def _path_of(spec: FunctionSpec, bundles: dict[str, Path]) -> list[Path]:
    """Give what Lambda puts on the path of a function, in its order."""
    return [bundles[spec.package], *(bundles[layer] / "python" for layer in spec.layers)]


@pytest.mark.parametrize("name", BUNDLES)
def test_native_code_is_for_arm64_and_needs_nothing_newer_than_amazon_linux_2023(
    name: str, bundles: dict[str, Path]
) -> None:
    assert list(inspection.foreign_code(bundles[name])) == []
    if name == "wheels":
        assert list(bundles[name].rglob("*.so")), "there was native code to look at"


def test_every_distribution_was_built_for_lambda_s_python_and_platform(bundles: dict[str, Path]) -> None:
    assert list(inspection.foreign_wheels(bundles["wheels"] / "python")) == []
    assert len(list(bundles["wheels"].rglob("*.dist-info/WHEEL"))) > 10


@pytest.mark.parametrize("name", BUNDLES)
def test_every_module_has_byte_code_that_lambda_s_python_takes_unseen(name: str, bundles: dict[str, Path]) -> None:
    assert list(inspection.missing_byte_code(bundles[name])) == []
    assert list(bundles[name].rglob("*.pyc"))


@pytest.mark.parametrize("name", BUNDLES)
def test_a_bundle_holds_nothing_that_a_function_never_reads(name: str, bundles: dict[str, Path]) -> None:
    assert list(inspection.unread_files(bundles[name])) == []


@pytest.mark.parametrize("name", BUNDLES)
def test_lambda_s_user_may_read_all_of_a_bundle(name: str, bundles: dict[str, Path]) -> None:
    assert list(inspection.unreadable_files(bundles[name])) == []


@pytest.mark.parametrize("spec", [*FUNCTIONS, REPO_TOPICS], ids=lambda spec: spec.name)
def test_nothing_stands_twice_on_a_function_s_path(spec: FunctionSpec, bundles: dict[str, Path]) -> None:
    path = _path_of(spec, bundles)
    assert list(inspection.doubled_names(path)) == []
    assert list(inspection.brought_by_the_runtime(path)) == []


def test_nothing_stands_twice_on_the_path_of_a_custom_resource(bundles: dict[str, Path]) -> None:
    path = [bundles[RESOURCES], bundles["wheels"] / "python"]
    assert list(inspection.doubled_names(path)) == []
    assert list(inspection.brought_by_the_runtime(path)) == []


def test_the_one_package_that_the_runtime_has_too_is_one_that_its_boto3_takes(bundles: dict[str, Path]) -> None:
    """Powertools needs `jmespath` as boto3 does; a layer comes before the runtime's own packages."""
    (ours,) = (bundles["wheels"] / "python").glob("jmespath-*.dist-info")
    version = ours.name.removeprefix("jmespath-").removesuffix(".dist-info")
    needed = [Requirement(line) for line in importlib.metadata.requires("botocore") or ()]
    assert [one.specifier.contains(version) for one in needed if one.name == "jmespath"] == [True]


@pytest.mark.parametrize("spec", [*FUNCTIONS, REPO_TOPICS], ids=lambda spec: spec.name)
def test_a_function_and_its_layers_stay_small(spec: FunctionSpec, bundles: dict[str, Path]) -> None:
    names = (spec.package, *spec.layers)
    assert inspection.size_bytes(bundles[name] for name in names) <= MAX_BYTES


@pytest.mark.parametrize("name", BUNDLES)
def test_a_zipped_bundle_stays_small(name: str, bundles: dict[str, Path]) -> None:
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as archive:
        for path in sorted(bundles[name].rglob("*")):
            archive.write(path, path.relative_to(bundles[name]))
    assert packed.tell() < MAX_ZIPPED_BYTES


def test_functions_run_on_the_python_that_their_bundles_are_compiled_for(managed_stage: Synthesis) -> None:
    runtimes = {one.properties["Runtime"] for one in managed_stage.resources("AWS::Lambda::Function")}
    assert runtimes == {f"python{LAMBDA.python}"}


def test_a_function_has_no_more_layers_than_lambda_takes(variant: Synthesis) -> None:
    counts = [len(one.properties.get("Layers", ())) for one in variant.resources("AWS::Lambda::Function")]
    assert max(counts) <= MAX_LAYERS


@pytest.mark.parametrize("name", ["gateway", "wheels"])
def test_the_same_sources_give_the_same_bytes_again_without_a_network(
    name: str, bundles: dict[str, Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(bundling, "BUNDLES", tmp_path)
    monkeypatch.setenv("UV_OFFLINE", "1")
    bundler = Bundler(target=LAMBDA)
    again = bundler.layer(name) if name in LAYERS else bundler.function(name)
    assert again.path.name == bundles[name].name
    assert _content(again.path) == _content(bundles[name])


def _content(folder: Path) -> dict[str, tuple[int, bytes]]:
    return {
        path.relative_to(folder).as_posix(): (path.stat().st_mode, path.read_bytes() if path.is_file() else b"")
        for path in folder.rglob("*")
    }


# What follows shows that each look finds what it is for: the same bundle, spoilt in one place.


@pytest.fixture
def spoilt(tmp_path: Path, bundles: dict[str, Path]) -> Path:
    """A copy of a small bundle, to be spoilt."""
    return Path(shutil.copytree(bundles["core"], tmp_path / "core")) / "python"


@pytest.fixture
def native(bundles: dict[str, Path]) -> Path:
    """A library of the wheels layer."""
    return next((bundles["wheels"] / "python").glob("_cffi_backend.*.so"))


def _found(look: Callable[[Path], Iterable[str]], folder: Path) -> str:
    (finding,) = look(folder)
    return finding


def test_a_library_for_another_processor_is_found(spoilt: Path, native: Path) -> None:
    code = bytearray(native.read_bytes())
    code[18:20] = (62).to_bytes(2, "little")  # e_machine: EM_X86_64
    (spoilt / "fast.so").write_bytes(code)
    assert _found(inspection.foreign_code, spoilt) == "fast.so: is for EM_X86_64"


def test_a_library_that_needs_a_newer_glibc_is_found(spoilt: Path, native: Path) -> None:
    code = native.read_bytes()
    assert b"GLIBC_2.17\0" in code
    (spoilt / "fast").write_bytes(code.replace(b"GLIBC_2.17\0", b"GLIBC_2.38\0"))
    assert set(inspection.foreign_code(spoilt)) == {"fast: needs GLIBC_2.38"}


def test_a_library_that_the_image_does_not_have_is_found(spoilt: Path, native: Path) -> None:
    (spoilt / "fast.so").write_bytes(native.read_bytes().replace(b"libpthread.so.0\0", b"libfreetds.so.0\0"))
    assert set(inspection.foreign_code(spoilt)) == {"fast.so: needs the library libfreetds.so.0"}


def test_a_library_that_is_none_is_found(spoilt: Path) -> None:
    (spoilt / "fast.so").write_bytes(b"MZ" + bytes(100))
    assert "Magic number does not match" in _found(inspection.foreign_code, spoilt)


@pytest.mark.parametrize(
    "tag",
    ["cp313-cp313-manylinux_2_17_x86_64", "cp313-cp313-manylinux_2_39_aarch64", "cp314-cp314-manylinux2014_aarch64"],
)
def test_a_wheel_for_something_else_is_found(spoilt: Path, tag: str) -> None:
    metadata = spoilt / "fast-1.0.dist-info"
    metadata.mkdir()
    (metadata / "WHEEL").write_text(f"Wheel-Version: 1.0\nTag: {tag}\n")
    assert _found(inspection.foreign_wheels, spoilt) == f"fast-1.0.dist-info: {tag}"
    (metadata / "WHEEL").write_text("Wheel-Version: 1.0\nTag: cp311-abi3-manylinux_2_34_aarch64\n")
    assert list(inspection.foreign_wheels(spoilt)) == []


@pytest.mark.parametrize(
    "change", ["no byte code", "another release", "checked", "another source", "orphan", "old release"]
)
def test_byte_code_that_lambda_would_not_use_is_found(spoilt: Path, change: str) -> None:
    source = spoilt / "gochat_core" / "clock.py"
    compiled = source.parent / "__pycache__" / "clock.cpython-313.pyc"
    code = compiled.read_bytes()
    if change == "no byte code":
        compiled.unlink()
    elif change == "another release":
        compiled.write_bytes((3495).to_bytes(2, "little") + code[2:])
    elif change == "checked":
        compiled.write_bytes(code[:4] + (0b11).to_bytes(4, "little") + code[8:])
    elif change == "another source":
        source.write_text(source.read_text() + "\n")
    elif change == "orphan":
        compiled.with_name("gone.cpython-313.pyc").write_bytes(code)
    else:
        compiled.with_name("clock.cpython-311.pyc").write_bytes(code)
    assert "gochat_core/__pycache__/" in _found(inspection.missing_byte_code, spoilt)


@pytest.mark.parametrize("name", ["gochat_core/types.pyi", "gochat_core/tests/data.txt", "test_clock.py", ".env"])
def test_files_that_no_function_reads_are_found(spoilt: Path, name: str) -> None:
    (spoilt / name).parent.mkdir(exist_ok=True)
    (spoilt / name).touch()
    assert _found(inspection.unread_files, spoilt) in (name, str(Path(name).parent))


def test_a_file_that_only_its_owner_may_read_is_found(spoilt: Path) -> None:
    (spoilt / "gochat_core" / "clock.py").chmod(0o600)
    assert _found(inspection.unreadable_files, spoilt) == "gochat_core/clock.py"


def test_what_stands_twice_or_hides_another_is_found(spoilt: Path, bundles: dict[str, Path]) -> None:
    path: Sequence[Path] = [spoilt, bundles["contracts"] / "python"]
    (spoilt / "gochat_contracts").mkdir()
    (spoilt / "secrets.py").touch()
    (spoilt / "urllib3").mkdir()
    assert set(inspection.doubled_names(path)) == {
        "gochat_contracts stands 2 times",
        "secrets hides the standard library's",
    }
    assert set(inspection.brought_by_the_runtime(path)) == {"urllib3"}


def test_a_strict_umask_does_not_reach_the_bundle(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bundling, "BUNDLES", tmp_path)
    before = os.umask(0o077)
    try:
        bundle = Bundler(target=LAMBDA, full=False).function("repo")
    finally:
        os.umask(before)
    assert list(inspection.unreadable_files(bundle.path)) == []
