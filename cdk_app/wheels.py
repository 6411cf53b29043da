"""Builds the layer of third-party packages: exactly the locked versions of `project.dependencies`, as wheels."""

import shutil
import subprocess
import tempfile
from functools import cache
from pathlib import Path

from cdk_app.tools import find_uv

RECIPE = "3"
"""Counts the changes of this module that change its output: part of the bundle's hash."""

# Type stubs, C sources, pages of a documentation that we do not serve: a fifth of what the wheels hold, and none of it
# is read by a running function.
_UNUSED_SUFFIXES = (".pyi", ".pyx", ".pxd", ".c", ".h", ".cc", ".cpp", ".proto", ".js", ".css")
_UNUSED_FOLDERS = ("tests", "testdata", "__pycache__")
# What the installer notes about itself: paths and times of this machine, which would change the hash.
_UNUSED_METADATA = ("RECORD", "INSTALLER", "REQUESTED", "direct_url.json", "uv_cache.json", "uv_build.json")


@cache
def requirements(root: Path) -> str:
    """Return the locked requirements with their hashes, as pip's format has them; needs no network."""
    command = [str(find_uv()), "export", "--frozen", "--no-dev", "--no-emit-project", "--no-header", "--no-annotate"]
    return subprocess.run([*command, "--quiet"], check=True, capture_output=True, text=True, cwd=root).stdout


def install(locked: str, into: Path, *, python: str, platform: str | None) -> None:
    """Install the wheels for a Python and a platform (None: this machine's) into a folder, slimmed.

    Takes them from uv's cache, or else from the package index. A package without a wheel for the target fails: nothing
    is ever compiled here for another machine.
    """
    command = [str(find_uv()), "pip", "install", "--quiet", "--target", str(into), "--python-version", python]
    command += ["--only-binary", ":all:", "--no-deps", "--require-hashes", "--link-mode", "copy"]
    if platform:
        command += ["--python-platform", platform]
    with tempfile.TemporaryDirectory() as scratch:
        listing = Path(scratch) / "requirements.txt"
        listing.write_text(locked)
        subprocess.run([*command, "--requirement", str(listing)], check=True, capture_output=True, text=True)
    _slim(into)


def _slim(folder: Path) -> None:
    """Remove what a function never reads."""
    shutil.rmtree(folder / "bin", ignore_errors=True)
    for path in sorted(folder.rglob("*"), reverse=True):
        if path.is_dir() and path.name in _UNUSED_FOLDERS:
            shutil.rmtree(path)
        elif path.is_file() and (path.suffix in _UNUSED_SUFFIXES or _is_unused_metadata(path)):
            path.unlink()
    for lock in folder.glob(".lock"):
        lock.unlink()


def _is_unused_metadata(path: Path) -> bool:
    return path.parent.name.endswith(".dist-info") and path.name in _UNUSED_METADATA
