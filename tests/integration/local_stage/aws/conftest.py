"""Start one local AWS for the tests of this folder, in its own environment, and deploy throwaway functions and APIs."""

from __future__ import annotations

import io
import os
import socket
import subprocess
import time
import urllib.error
import urllib.request
import zipfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import boto3
import pytest
from botocore.config import Config

ROOT = Path(__file__).parents[4]
STAGE_PYTHON = ROOT / ".gochat" / "stage-venv" / "bin" / "python"
REGION = "us-east-1"
START_LIMIT_S = 30.0


@dataclass(frozen=True, kw_only=True)
class LocalAws:
    """A running local AWS: `port`, its process, and boto3 clients for it."""

    port: int
    process: subprocess.Popen[bytes]

    @property
    def endpoint_url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def client(self, service: str, **options: Any) -> Any:
        return boto3.client(
            service,  # type: ignore[call-overload]
            endpoint_url=options.pop("endpoint_url", self.endpoint_url),
            region_name=REGION,
            aws_access_key_id="000000000000",
            aws_secret_access_key="local",
            config=Config(
                retries={"max_attempts": 0}, read_timeout=60, disable_request_compression=True, inject_host_prefix=False
            ).merge(options.pop("config", Config())),
            **options,
        )

    def create_function(self, name: str, source: str, **settings: Any) -> str:
        """Create a Python function from the text of its one module and give its ARN."""
        function: dict[str, Any] = self.client("lambda").create_function(
            FunctionName=name,
            Runtime="python3.13",
            Handler="index.handler",
            Role="arn:aws:iam::000000000000:role/function",
            Code={"ZipFile": archive({"index.py": source})},
            **{"Timeout": 10, **settings},
        )
        return str(function["FunctionArn"])


def archive(files: dict[str, str]) -> bytes:
    """Zip the named texts."""
    content = io.BytesIO()
    with zipfile.ZipFile(content, "w") as writer:
        for name, text in files.items():
            writer.writestr(name, text)
    return content.getvalue()


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def start_local_aws(state_dir: Path, *options: str) -> LocalAws:
    """Start `python -m local_stage.aws` and wait until it serves."""
    prepare_environment()
    port = free_port()
    process = subprocess.Popen(
        [STAGE_PYTHON, "-m", "local_stage.aws", "--port", str(port), "--state-dir", str(state_dir), *options],
        cwd=ROOT,
        stdout=subprocess.DEVNULL,
    )
    aws = LocalAws(port=port, process=process)
    deadline = time.monotonic() + START_LIMIT_S
    while time.monotonic() < deadline and process.poll() is None:
        try:
            with urllib.request.urlopen(f"{aws.endpoint_url}/_ministack/ready", timeout=5):
                return aws
        except urllib.error.URLError:
            time.sleep(0.05)
    raise RuntimeError("The local AWS did not start.")


def prepare_environment() -> None:
    """Make the local AWS's environment if this checkout has none yet."""
    if not STAGE_PYTHON.exists():
        subprocess.run(
            ["uv", "sync", "--frozen", "--only-group", "stage"],
            cwd=ROOT,
            env={**os.environ, "UV_PROJECT_ENVIRONMENT": ".gochat/stage-venv"},
            check=True,
        )


@pytest.fixture(scope="session")
def aws(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LocalAws]:
    """One local AWS for all tests; they keep apart by the names of what they create."""
    running = start_local_aws(tmp_path_factory.mktemp("aws"))
    yield running
    running.process.terminate()
    running.process.wait(timeout=10)
