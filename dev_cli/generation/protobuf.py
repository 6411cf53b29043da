"""Generates the Python stubs of the .proto contracts with the pinned compiler."""

import subprocess
import sys
import tempfile
from pathlib import Path

from dev_cli.failure import Failure
from dev_cli.paths import ROOT, is_generated

SOURCES = ROOT / "layers" / "contracts" / "proto"
TARGET = ROOT / "layers" / "contracts" / "python"


def proto_files() -> list[Path]:
    """List the contracts."""
    return sorted(SOURCES.rglob("*.proto"))


def committed_stubs() -> list[Path]:
    """List the stubs that stand in the tree."""
    return [path for path in sorted(TARGET.rglob("*.py*")) if is_generated(path)]


def stubs() -> dict[Path, str]:
    """Compile every contract; give each stub's path in the tree with its text."""
    files = proto_files()
    if not files:
        return {}
    with tempfile.TemporaryDirectory(prefix="gochat-protobuf-") as folder:
        command = [sys.executable, "-m", "grpc_tools.protoc", f"--proto_path={SOURCES}"]
        command += [f"--{kind}_out={folder}" for kind in ("python", "pyi", "grpc_python")]
        command += [str(path.relative_to(SOURCES)) for path in files]
        result = subprocess.run(command, capture_output=True, text=True, check=False)
        if result.returncode:
            raise Failure(f"protoc refuses the contracts:\n{result.stderr}", advice=f"Look under {SOURCES}.")
        made = sorted(path for path in Path(folder).rglob("*.py*") if path.is_file())
        texts = {TARGET / path.relative_to(folder): path.read_text() for path in made}
    # A contract without a service gives an empty gRPC stub: it would be one more file that says nothing.
    return {path: text for path, text in texts.items() if "_grpc" not in path.name or "\nclass " in text}
