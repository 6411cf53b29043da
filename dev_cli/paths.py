"""Where the parts of a checkout and their caches lie."""

import os
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
STATE = ROOT / ".gochat"
VENV_BIN = ROOT / ".venv" / "bin"
STAGE_VENV = STATE / "stage-venv"
NODE = STATE / "node"
NODE_VENV = STATE / "node-venv"
LOGS = STATE / "logs"
UV = STATE / "bootstrap" / "bin" / "uv"

CLIENT = ROOT / "layers" / "client" / "python"

# The folders that Python code is imported from, here as in Lambda; pyproject.toml names the same ones.
IMPORT_ROOTS = (
    ROOT,
    ROOT / "functions",
    *(ROOT / "layers" / layer / "python" for layer in ("core", "contracts", "aws", "repo", "client")),
)

# Every folder whose Python is ours.
SOURCE_FOLDERS = ("cdk_app", "dev_cli", "functions", "layers", "local_stage", "tests")


def stage_home() -> Path:
    """Give the folder that holds the running stage; GOCHAT_HOME names another, so that a test's stage stands apart."""
    return Path(os.environ.get("GOCHAT_HOME") or STATE / "stage").absolute()


def python_environment() -> dict[str, str]:
    """Give this process's environment with the import roots on PYTHONPATH, for Python programs that we start."""
    return {**os.environ, "PYTHONPATH": os.pathsep.join(map(str, IMPORT_ROOTS))}


def source_files(suffix: str = ".py") -> list[Path]:
    """List our source files, generated ones included, sorted by path."""
    return sorted(
        path
        for folder in SOURCE_FOLDERS
        for path in (ROOT / folder).rglob(f"*{suffix}")
        if "node_modules" not in path.parts and "cdk.out" not in path.parts
    )


def web_modules() -> list[Path]:
    """List the JavaScript modules of the web page, sorted by path."""
    return sorted((ROOT / "web").rglob("*.js"))


def is_generated(path: Path) -> bool:
    """Tell whether protoc wrote this file."""
    return path.name.endswith(("_pb2.py", "_pb2_grpc.py", "_pb2.pyi"))
