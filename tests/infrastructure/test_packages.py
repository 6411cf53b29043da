"""The finished bundles, wheels and all: each function starts from its own layers alone and stays small."""

import subprocess
import sys
from pathlib import Path

import pytest

from cdk_app.bundling import Bundler, Target
from cdk_app.catalogue import FUNCTIONS, REPO_TOPICS, FunctionSpec
from cdk_app.tools import find_interpreter

MAX_BYTES = 60_000_000

THIS = f"{sys.version_info.major}.{sys.version_info.minor}"
# Lambda's release too, where this machine has it; its wheels are for this machine then, not for Lambda's processor.
RELEASES = [THIS, *(["3.13"] if find_interpreter("3.13") and THIS != "3.13" else [])]

# Isolated, and without site-packages: what is not in the bundle is not there. Byte code is neither written nor missed.
_IMPORT = """
import importlib, os, sys
bundles = sys.argv[2:]
sys.path[:0] = bundles
assert callable(importlib.import_module(sys.argv[1]).handle)
specs = [module.__spec__ for module in sys.modules.values() if getattr(module, "__spec__", None)]
ours = [spec for spec in specs if (spec.origin or "").startswith(tuple(bundles)) and spec.origin.endswith(".py")]
assert ours and all(os.path.exists(spec.cached) for spec in ours), ours
"""


def _bundles(spec: FunctionSpec, release: str) -> list[Path]:
    """Give what Lambda puts on the path of a function, in its order."""
    bundler = Bundler(target=Target(python=release, platform=None))
    return [bundler.function(spec.package).path, *(bundler.layer(layer).path / "python" for layer in spec.layers)]


@pytest.mark.parametrize("release", RELEASES)
@pytest.mark.parametrize("spec", [*FUNCTIONS, REPO_TOPICS], ids=lambda spec: spec.name)
def test_function_starts_from_its_own_layers_alone(spec: FunctionSpec, release: str) -> None:
    interpreter = find_interpreter(release)
    assert interpreter
    module = spec.handler.removesuffix(".handle")
    command = [str(interpreter), "-I", "-S", "-B", "-c", _IMPORT, module, *map(str, _bundles(spec, release))]
    done = subprocess.run(command, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr


@pytest.mark.parametrize("spec", [*FUNCTIONS, REPO_TOPICS], ids=lambda spec: spec.name)
def test_function_and_its_layers_stay_small(spec: FunctionSpec) -> None:
    files = [path for folder in _bundles(spec, THIS) for path in folder.rglob("*") if path.is_file()]
    assert sum(path.stat().st_size for path in files) <= MAX_BYTES
