"""The local AWS starts where told, guards what it patches, and leaves no process behind."""

from __future__ import annotations

import contextlib
import json
import os
import signal
import socket
import subprocess
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from botocore.exceptions import BotoCoreError, ClientError

from .conftest import ROOT, STAGE_PYTHON, LocalAws, prepare_environment, start_local_aws
from .test_cloudformation import FUNCTION, ROLE, resource

SLEEPER = "import time\ndef handler(event, context): time.sleep(event)\n"


@pytest.fixture
def options() -> list[str]:
    """Options of `own_aws`; a test may have others."""
    return []


@pytest.fixture
def own_aws(tmp_path: Path, options: list[str]) -> Iterator[LocalAws]:
    """A local AWS that the test may end."""
    running = start_local_aws(tmp_path, *options)
    yield running
    if running.process.poll() is None:
        running.process.kill()
        running.process.wait()


def children(process_id: int) -> set[int]:
    listing = subprocess.run(["ps", "-o", "pid=,ppid=", "-e"], capture_output=True, text=True, check=True).stdout
    pairs = [line.split() for line in listing.splitlines()]
    return {int(child) for child, parent in pairs if int(parent) == process_id}


def wait_until(condition: Callable[[], bool], limit_s: float = 10) -> None:
    deadline = time.monotonic() + limit_s
    while not condition():
        assert time.monotonic() < deadline, "The condition did not come true in time."
        time.sleep(0.02)


def running(process_id: int) -> bool:
    try:
        os.kill(process_id, 0)
    except ProcessLookupError:
        return False
    return True


def busy_and_idle_workers(aws: LocalAws) -> set[int]:
    """Make an idle function process and one in the middle of an invocation, and give both process ids."""
    aws.create_function("sleeper", SLEEPER, Timeout=60)
    aws.client("lambda").invoke(FunctionName="sleeper", Payload=b"0")

    def invoke() -> None:
        with contextlib.suppress(BotoCoreError, ClientError):
            aws.client("lambda").invoke(FunctionName="sleeper", Payload=b"60")

    for _ in range(2):
        threading.Thread(target=invoke, daemon=True).start()
    wait_until(lambda: len(children(aws.process.pid)) == 2)
    return children(aws.process.pid)


@pytest.mark.parametrize("signal_number", [signal.SIGTERM, signal.SIGINT, signal.SIGKILL])
@pytest.mark.parametrize("options", [[], ["--no-freeze-idle-functions"]], ids=["frozen", "running"])
def test_no_function_process_outlives_the_launcher(own_aws: LocalAws, signal_number: signal.Signals) -> None:
    workers = busy_and_idle_workers(own_aws)
    started = time.monotonic()
    own_aws.process.send_signal(signal_number)
    code = own_aws.process.wait(timeout=10)
    assert code == (-9 if signal_number == signal.SIGKILL else 0)
    wait_until(lambda: not any(running(worker) for worker in workers), limit_s=5)
    assert time.monotonic() - started < 6


def test_a_pending_custom_resource_does_not_hold_up_the_end(own_aws: LocalAws) -> None:
    template = {
        "Resources": {
            "Role": ROLE,
            "Function": FUNCTION,  # answers nothing to the response URL
            "Custom": resource("Custom::Silent", ServiceToken={"Fn::GetAtt": ["Function", "Arn"]}),
        }
    }
    client = own_aws.client("cloudformation")
    client.create_stack(StackName="silent", TemplateBody=json.dumps(template), Capabilities=["CAPABILITY_IAM"])
    wait_until(lambda: len(children(own_aws.process.pid)) == 1)
    own_aws.process.terminate()
    assert own_aws.process.wait(timeout=6) == 0


def test_it_listens_on_the_loopback_interface_only(aws: LocalAws) -> None:
    listing = Path("/proc/net/tcp").read_text() if Path("/proc/net/tcp").exists() else ""
    addresses = [line.split()[1] for line in listing.splitlines()[1:] if line.split()[3] == "0A"]
    own = [address for address in addresses if address.endswith(f":{aws.port:04X}")]
    assert own in ([f"0100007F:{aws.port:04X}"], [])
    assert own or not listing


def test_a_taken_port_is_said_in_one_sentence(tmp_path: Path) -> None:
    prepare_environment()
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        ended = subprocess.run(
            [STAGE_PYTHON, "-m", "local_stage.aws", "--port", str(port), "--state-dir", str(tmp_path)],
            cwd=ROOT, capture_output=True, text=True, timeout=30,
        )  # fmt: skip
    assert ended.returncode == 1
    assert f"127.0.0.1:{port} cannot be bound (Address already in use); choose another --port." in ended.stderr


def test_a_name_that_ministack_lacks_is_named_with_the_version(tmp_path: Path) -> None:
    prepare_environment()
    script = (
        "from local_stage.aws import environment, options\n"
        f"chosen = options.parse(['--state-dir', {str(tmp_path)!r}])\n"
        "environment.prepare(chosen)\n"
        "from ministack.services import lambda_svc\n"
        "del lambda_svc._execute_function_warm\n"
        "from local_stage.aws.__main__ import start\n"
        "raise SystemExit(start(chosen))\n"
    )
    ended = subprocess.run([STAGE_PYTHON, "-c", script], cwd=ROOT, capture_output=True, text=True, timeout=30)
    assert ended.returncode == 1
    assert "lacks _execute_function_warm in ministack.services.lambda_svc" in ended.stderr
    assert "ministack==1.5.33" in ended.stderr
    assert "Traceback" not in ended.stderr
