"""Pools of execution environments share, bound, retire and reap real processes."""

from __future__ import annotations

import sys
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import psutil
import pytest

from local_stage.aws.function_pool import LAST_IDLE_S, SURPLUS_IDLE_S, FunctionPools
from local_stage.aws.function_sandbox import Invocation, Sandbox

HANDLER = """
import os, threading, time
def handler(event, context):
    if event == "chatter":
        def talk():
            while True:
                print("from a thread", flush=True)
        threading.Thread(target=talk, daemon=True).start()
        return "done"
    time.sleep(event)
    return os.getpid()
"""


class Clock:
    """A clock that the test moves."""

    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def start(tmp_path: Path) -> Callable[[], Sandbox]:
    (tmp_path / "index.py").write_text(HANDLER)
    names = ("FUNCTION_NAME", "FUNCTION_VERSION", "FUNCTION_MEMORY_SIZE", "LOG_GROUP_NAME", "LOG_STREAM_NAME")
    environment = {f"AWS_LAMBDA_{name}": "x" for name in names}

    def start() -> Sandbox:
        return Sandbox(
            handler="index.handler", search_path=[str(tmp_path)], directory=str(tmp_path), environment=environment
        )

    return start


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def pools(clock: Clock) -> Iterator[FunctionPools]:
    pools = FunctionPools(most_of_one_function=2, clock=clock)
    yield pools
    pools.close()


def call(event: object, timeout_s: float = 20.0) -> Invocation:
    return Invocation(request_id="r-1", function_arn="arn", event=event, timeout_s=timeout_s, trace_header=None)


def test_a_returned_environment_serves_the_next_invocation(pools: FunctionPools, start: Callable[[], Sandbox]) -> None:
    first = pools.acquire("f", "1", start)
    pools.release(first, reusable=True)
    assert pools.acquire("f", "1", start) is first
    pools.release(first, reusable=True)


def test_beyond_the_limit_callers_wait_for_a_free_one(pools: FunctionPools, start: Callable[[], Sandbox]) -> None:
    def invoke() -> int:
        sandbox = pools.acquire("f", "1", start)
        try:
            process_id: int = sandbox.invoke(call(0.05)).payload
            return process_id
        finally:
            pools.release(sandbox, reusable=True)

    with ThreadPoolExecutor(8) as threads:
        pids = {future.result(timeout=20) for future in [threads.submit(invoke) for _ in range(16)]}
    assert 1 <= len(pids) <= 2


def test_idle_environments_end_surplus_first(pools: FunctionPools, start: Callable[[], Sandbox], clock: Clock) -> None:
    both = [pools.acquire("f", "1", start) for _ in range(2)]
    for sandbox in both:
        pools.release(sandbox, reusable=True)
    clock.now = SURPLUS_IDLE_S + 1
    pools.reap()
    assert sorted(sandbox.is_alive() for sandbox in both) == [False, True]
    clock.now = LAST_IDLE_S + 1
    pools.reap()
    assert not any(sandbox.is_alive() for sandbox in both)


def test_a_changed_function_gets_new_environments(pools: FunctionPools, start: Callable[[], Sandbox]) -> None:
    busy, idle = (pools.acquire("f", "1", start) for _ in range(2))
    pools.release(idle, reusable=True)
    changed = pools.acquire("f", "2", start)
    assert changed not in (busy, idle)
    assert busy.is_alive()
    pools.release(busy, reusable=True)
    assert not busy.is_alive()
    deadline = time.monotonic() + 10
    while idle.is_alive():
        assert time.monotonic() < deadline
        time.sleep(0.01)
    pools.release(changed, reusable=True)


def test_closing_ends_busy_environments_and_refuses_new_ones(start: Callable[[], Sandbox]) -> None:
    pools = FunctionPools(most_of_one_function=2)
    sandbox = pools.acquire("f", "1", start)
    outcomes = []
    thread = threading.Thread(target=lambda: outcomes.append(sandbox.invoke(call(60.0, timeout_s=60))))
    thread.start()
    pools.close()
    thread.join(timeout=10)
    assert outcomes[0].failed
    with pytest.raises(RuntimeError, match="shutting down"):
        pools.acquire("f", "1", start)
    pools.release(sandbox, reusable=False)


def test_a_frozen_environment_stands_still_and_goes_on(tmp_path: Path, start: Callable[[], Sandbox]) -> None:
    """Lambda: "Lambda execution environment lifecycle": the environment is frozen between invocations."""
    (tmp_path / "index.py").write_text(
        "import threading, time\nticks = 0\n"
        "def tick():\n    global ticks\n    while True:\n        time.sleep(0.01)\n        ticks += 1\n"
        "threading.Thread(target=tick, daemon=True).start()\n"
        "def handler(event, context):\n    time.sleep(0.1)\n    return ticks\n"
    )
    pools = FunctionPools(most_of_one_function=1, freeze_idle=True)
    sandbox = pools.acquire("f", "1", start)
    before: int = sandbox.invoke(call(None)).payload
    pools.release(sandbox, reusable=True)
    time.sleep(0.5)  # the time that must not count
    assert pools.acquire("f", "1", start) is sandbox
    after: int = sandbox.invoke(call(None)).payload
    assert 0 < after - before < 40
    pools.release(sandbox, reusable=True)
    pools.close()
    assert not sandbox.is_alive()


def test_what_a_handler_started_ends_with_its_environment(tmp_path: Path, start: Callable[[], Sandbox]) -> None:
    (tmp_path / "index.py").write_text(
        "import subprocess\ndef handler(event, context): return subprocess.Popen(['sleep', '60']).pid\n"
    )
    sandbox = start()
    child: int = sandbox.invoke(call(None)).payload
    assert psutil.pid_exists(child)
    sandbox.close()
    deadline = time.monotonic() + 5
    while psutil.pid_exists(child) and psutil.Process(child).status() != psutil.STATUS_ZOMBIE:
        assert time.monotonic() < deadline
        time.sleep(0.01)


def test_a_thread_that_logs_on_does_not_hold_up_the_answer(start: Callable[[], Sandbox]) -> None:
    sandbox = start()
    started = time.monotonic()
    outcome = sandbox.invoke(call("chatter"))
    assert outcome.payload == "done"
    assert time.monotonic() - started < 10
    sandbox.close()


def test_a_handler_that_exits_is_an_exit_error(tmp_path: Path, start: Callable[[], Sandbox]) -> None:
    (tmp_path / "index.py").write_text("import sys\ndef handler(event, context): sys.exit(3)\n")
    sandbox = start()
    outcome = sandbox.invoke(call(None))
    assert outcome.failed
    assert not outcome.reusable
    assert outcome.payload["errorType"] == "Runtime.ExitError"
    assert outcome.payload["errorMessage"] == "RequestId: r-1 Error: Runtime exited with error: exit status 3"
    sandbox.close()


def test_what_cannot_be_json_is_a_marshal_error(tmp_path: Path, start: Callable[[], Sandbox]) -> None:
    (tmp_path / "index.py").write_text("def handler(event, context): return {1, 2}\n")
    sandbox = start()
    outcome = sandbox.invoke(call(None))
    assert outcome.payload["errorType"] == "Runtime.MarshalError"
    assert outcome.reusable
    sandbox.close()


def test_a_log_larger_than_a_pipe_does_not_block(tmp_path: Path, start: Callable[[], Sandbox]) -> None:
    (tmp_path / "index.py").write_text("def handler(event, context): print('x' * 1_000_000)\n")
    sandbox = start()
    outcome = sandbox.invoke(call(None))
    assert not outcome.failed
    assert len(outcome.log) == 1_000_001
    sandbox.close()


def test_this_interpreter_is_the_functions(start: Callable[[], Sandbox]) -> None:
    assert Path(sys.executable).exists()
    sandbox = start()
    assert sandbox.invoke(call(0)).payload == sandbox.process_id
    sandbox.close()
