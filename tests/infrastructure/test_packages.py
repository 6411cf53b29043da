"""The finished bundles, wheels and all: each function starts from its own layers alone."""

import subprocess
import sys
from pathlib import Path

import boto3
import pytest

from cdk_app.bundling import LAMBDA, Bundler, Target
from cdk_app.catalogue import FUNCTIONS, REPO_TOPICS, FunctionSpec
from cdk_app.tools import find_interpreter
from tests.infrastructure.inspection import BROUGHT_BY_THE_RUNTIME
from tests.infrastructure.synthesis import Synthesis

THIS = f"{sys.version_info.major}.{sys.version_info.minor}"
# Lambda's release too, where this machine has it: on what Lambda gets, but for native code, which is for its processor.
RELEASES = [THIS, *([LAMBDA.python] if find_interpreter(LAMBDA.python) and LAMBDA.python != THIS else [])]

# Isolated, and without site-packages: what is not in a bundle is not there, but for what stands in for the runtime.
_IMPORT = """
import importlib, os, sys
bundles = sys.argv[2:]
sys.path[:0] = bundles
assert callable(importlib.import_module(sys.argv[1]).handle)
specs = [module.__spec__ for module in sys.modules.values() if getattr(module, "__spec__", None)]
ours = [spec for spec in specs if "/bundles/" in (spec.origin or "") and spec.origin.endswith(".py")]
assert ours and all(os.path.exists(spec.cached) for spec in ours), ours
"""


def _bundles(spec: FunctionSpec, release: str) -> list[Path]:
    """Give what Lambda puts on the path of a function, in its order."""
    native = Target(python=release, platform=None)
    sources = Bundler(target=LAMBDA if release == LAMBDA.python else native)
    layers = [(Bundler(target=native) if layer == "wheels" else sources).layer(layer) for layer in spec.layers]
    return [sources.function(spec.package).path, *(layer.path / "python" for layer in layers)]


@pytest.mark.parametrize("release", RELEASES)
@pytest.mark.parametrize("spec", [*FUNCTIONS, REPO_TOPICS], ids=lambda spec: spec.name)
def test_function_starts_from_its_own_layers_alone(spec: FunctionSpec, release: str) -> None:
    _start(release, spec.handler, _bundles(spec, release))


@pytest.mark.parametrize("release", RELEASES)
def test_custom_resources_start_from_their_own_code_and_the_runtime_s(
    release: str, syntheses: dict[str, Synthesis], tmp_path: Path
) -> None:
    for name in (*BROUGHT_BY_THE_RUNTIME, "jmespath"):
        for installed in Path(boto3.__file__).parents[1].glob(f"{name}*"):
            (tmp_path / installed.name).symlink_to(installed)
    native = Target(python=release, platform=None)
    code = Bundler(target=LAMBDA if release == LAMBDA.python else native).custom_resources().path
    wheels = Bundler(target=native).layer("wheels").path / "python"
    needs_wheels = {
        one.properties["Handler"]: bool(one.properties.get("Layers"))
        for synthesis in syntheses.values()
        for one in synthesis.resources("AWS::Lambda::Function")
        if one.properties["Handler"].startswith("cdk_app.custom_resources.")
    }
    assert len(needs_wheels) > 3
    for handler, with_wheels in needs_wheels.items():
        _start(release, handler, [code, *([wheels] if with_wheels else []), tmp_path])


def _start(release: str, handler: str, path: list[Path]) -> None:
    """Import a handler from these folders alone."""
    interpreter = find_interpreter(release)
    assert interpreter
    command = [str(interpreter), "-I", "-S", "-B", "-c", _IMPORT, handler.removesuffix(".handle"), *map(str, path)]
    done = subprocess.run(command, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
