"""Hold one execution environment: a child process that runs one invocation of one function at a time."""

from __future__ import annotations

import contextlib
import json
import os
import selectors
import signal
import socket
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from local_stage.aws.function_bootstrap import LENGTH

BOOTSTRAP = Path(__file__).with_name("function_bootstrap.py")
# AWS gives a managed runtime 10 s to initialize; a laptop that starts a whole stage at once is slower than that.
INIT_LIMIT_S = 60.0
# "Invocation payload (request and response): 6 MB each for request and response (synchronous)" (Lambda quotas).
REQUEST_LIMIT_BYTES = 6_291_456
RESPONSE_LIMIT_BYTES = 6_291_556
# An interpreter closes its sockets before it is gone.
EXIT_WAIT_S = 1.0
_END_OF_LOG = b"\x1e"


@dataclass(frozen=True, kw_only=True)
class Invocation:
    """One call of a function, as the platform hands it to an execution environment."""

    request_id: str
    function_arn: str
    event: Any
    timeout_s: float
    trace_header: str | None


@dataclass(frozen=True, kw_only=True)
class Outcome:
    """What became of an invocation: `payload` is the handler's answer, or AWS's error document when `failed`.

    `reusable` tells whether the environment may serve another invocation.
    """

    payload: Any
    failed: bool
    reusable: bool
    log: str
    duration_ms: float


class Sandbox:
    """One execution environment of one function; not safe for two threads at once."""

    def __init__(self, *, handler: str, search_path: list[str], directory: str, environment: dict[str, str]) -> None:
        """Start the process; it imports the handler while the caller goes on, and `prepare` waits for it."""
        self.idle_since = time.monotonic()
        self.log_stream = environment["AWS_LAMBDA_LOG_STREAM_NAME"]
        self._log = bytearray()
        self._rest_of_log = b""
        ours, theirs = socket.socketpair()
        log_end, child_log_end = os.pipe()
        try:
            self._process = subprocess.Popen(
                [sys.executable, "-P", str(BOOTSTRAP), str(theirs.fileno()), environment["AWS_LAMBDA_FUNCTION_NAME"]],
                stdin=subprocess.PIPE,
                stdout=child_log_end,
                stderr=child_log_end,
                pass_fds=[theirs.fileno()],
                cwd=directory,
                env=environment,
                # A group of its own: a terminal's Ctrl-C is the launcher's to handle, and what a handler starts can be
                # killed with it. Should the launcher die, the kernel ends a frozen orphaned group (SIGHUP, SIGCONT).
                process_group=0,
            )
        finally:
            theirs.close()
            os.close(child_log_end)
        self._control = ours
        self._log_end = log_end
        self._refusal: dict[str, Any] | None = None
        self._prepared = False
        self._frozen = False
        self._selector = selectors.DefaultSelector()
        self._selector.register(self._control, selectors.EVENT_READ)
        self._selector.register(self._log_end, selectors.EVENT_READ)
        self._send(json.dumps({"handler": handler, "path": search_path}))

    @property
    def process_id(self) -> int:
        """The child's process id."""
        return self._process.pid

    def is_alive(self) -> bool:
        """Tell whether the child still runs."""
        return self._process.poll() is None

    def freeze(self) -> None:
        """Stop the process where it is, as AWS does with an environment that has nothing to do."""
        self._frozen = True
        self._signal(signal.SIGSTOP)

    def thaw(self) -> None:
        """Let a frozen process go on."""
        if self._frozen:
            self._frozen = False
            self._signal(signal.SIGCONT)

    def invoke(self, invocation: Invocation) -> Outcome:
        """Run the handler on the event; never raises for what the function or its process does."""
        self._log[:] = self._rest_of_log
        self._rest_of_log = b""
        started = time.monotonic()
        self.prepare()
        if self._refusal is not None:
            error = {**self._refusal, "requestId": invocation.request_id}
            return self._broken(error["errorType"], error["errorMessage"], started, error)
        deadline = started + invocation.timeout_s
        message = {
            "request_id": invocation.request_id,
            "arn": invocation.function_arn,
            "deadline_ms": int((time.time() + invocation.timeout_s) * 1000),
            "trace_header": invocation.trace_header,
        }
        event = json.dumps(invocation.event)
        if len(event) > REQUEST_LIMIT_BYTES:
            text = (
                f"{len(event)} byte payload is too large for the RequestResponse invocation type "
                f"(limit {REQUEST_LIMIT_BYTES} bytes)"
            )
            error = {"errorMessage": text, "errorType": "RequestEntityTooLargeException"}
            return self._outcome(error, started, failed=True, reusable=True)
        try:
            self._send(f'{json.dumps(message)[:-1]}, "event": {event}}}')
            answer = self._answer(deadline, end_of_log=_END_OF_LOG + invocation.request_id.encode() + b"\n")
        except TimeoutError:
            self.kill()
            text = f"RequestId: {invocation.request_id} Error: Task timed out after {invocation.timeout_s:.2f} seconds"
            return self._broken("Sandbox.Timedout", text, started)
        except OSError:
            return self._exited(invocation, started)
        return self._judge(answer, started)

    def prepare(self) -> None:
        """Wait until the handler is imported; if that fails, every `invoke` answers with the reason."""
        if self._prepared:
            return
        self._prepared = True
        try:
            answer = json.loads(self._answer(time.monotonic() + INIT_LIMIT_S, end_of_log=None))
        except TimeoutError:
            text = f"Init timed out after {INIT_LIMIT_S:.2f} seconds"
            answer = {"init_error": {"errorType": "Sandbox.Timedout", "errorMessage": text}}
        except OSError:
            self._leave()
            answer = {"init_error": {"errorType": "Runtime.ExitError", "errorMessage": self._exit_reason()}}
        if "init_error" in answer:
            self.kill()
            self._refusal = answer["init_error"]

    def kill(self) -> None:
        """End the process at once; safe to call twice, and while another thread is in `invoke`, which then fails."""
        if self._process.poll() is None:
            self._signal(signal.SIGKILL)
        self._process.wait()

    def close(self) -> None:
        """Kill the process and give back the launcher's ends of its pipes; no thread may be in `invoke`."""
        self.kill()
        self._selector.close()
        self._control.close()
        if self._process.stdin is not None:
            self._process.stdin.close()
        if self._log_end >= 0:
            os.close(self._log_end)
            self._log_end = -1

    def _judge(self, answer: bytes, started: float) -> Outcome:
        if len(answer) > RESPONSE_LIMIT_BYTES:
            message = f"Response payload size exceeded maximum allowed payload size ({RESPONSE_LIMIT_BYTES} bytes)."
            error = {"errorMessage": message, "errorType": "Function.ResponseSizeTooLarge"}
            return self._outcome(error, started, failed=True, reusable=True)
        document = json.loads(answer)
        if "error" in document:
            return self._outcome(document["error"], started, failed=True, reusable=True)
        return self._outcome(document["result"], started, failed=False, reusable=True)

    def _exited(self, invocation: Invocation, started: float) -> Outcome:
        """Answer as AWS does for a process that went away in the middle of an invocation."""
        self._leave()
        return self._broken("Runtime.ExitError", f"RequestId: {invocation.request_id} {self._exit_reason()}", started)

    def _signal(self, number: signal.Signals) -> None:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self._process.pid, number)

    def _leave(self) -> None:
        """Let a process that has hung up finish with its own exit status."""
        try:
            self._process.wait(timeout=EXIT_WAIT_S)
        except subprocess.TimeoutExpired:
            self.kill()

    def _exit_reason(self) -> str:
        code = self._process.returncode
        reason = f"signal: {signal.Signals(-code).name}" if code < 0 else f"exit status {code}"
        if code == -signal.SIGKILL:
            reason = "signal: killed"
        return f"Error: Runtime exited with error: {reason}"

    def _broken(self, error_type: str, message: str, started: float, error: dict[str, Any] | None = None) -> Outcome:
        self._read_log()
        error = error or {"errorType": error_type, "errorMessage": message}
        self._log += f"{message}\n".encode()
        return self._outcome(error, started, failed=True, reusable=False)

    def _outcome(self, payload: Any, started: float, *, failed: bool, reusable: bool) -> Outcome:
        return Outcome(
            payload=payload,
            failed=failed,
            reusable=reusable,
            log=self._log.decode(errors="replace"),
            duration_ms=(time.monotonic() - started) * 1000,
        )

    def _send(self, message: str) -> None:
        body = message.encode()
        self._control.sendall(LENGTH.pack(len(body)) + body)

    def _answer(self, deadline: float, *, end_of_log: bytes | None) -> bytes:
        """Read the answer, and the log up to its mark; raise TimeoutError past the deadline, OSError at a dead end."""
        received = bytearray()
        complete: bytes | None = None
        while complete is None or (end_of_log is not None and not self._cut_log(end_of_log)):
            ready = self._selector.select(max(0.0, deadline - time.monotonic()))
            if not ready:
                raise TimeoutError
            for key, _ in ready:
                if key.fileobj is not self._control:
                    if not self._read_log_once():
                        self._selector.unregister(self._log_end)
                elif complete is None:
                    complete = self._read_control(received)
        return complete

    def _read_control(self, received: bytearray) -> bytes | None:
        part = self._control.recv(1 << 20)
        if not part:
            raise ConnectionResetError
        received += part
        if len(received) < LENGTH.size or len(received) < LENGTH.size + LENGTH.unpack(received[: LENGTH.size])[0]:
            return None
        return bytes(received[LENGTH.size :])

    def _cut_log(self, end_of_log: bytes) -> bool:
        end = self._log.find(end_of_log)
        if end < 0:
            return False
        # A thread of the function may have logged on after the handler returned: that belongs to the next invocation.
        self._rest_of_log = bytes(self._log[end + len(end_of_log) :])
        del self._log[end:]
        return True

    def _read_log_once(self) -> bool:
        part = os.read(self._log_end, 1 << 16)
        self._log += part
        return bool(part)

    def _read_log(self) -> None:
        """Take what the dead process left in its log pipe, without waiting for a grandchild that holds it open."""
        os.set_blocking(self._log_end, False)
        try:
            while self._read_log_once():
                pass
        except BlockingIOError:
            return
