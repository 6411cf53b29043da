"""Be one Lambda execution environment: the child process that imports a handler and answers invocations.

Started as a script of its own, in the launcher's interpreter; speaks length-prefixed JSON over the socket whose file
descriptor is its first argument. Its standard output and standard error are the function's log.
Messages and errors are those of the AWS Lambda Python Runtime Interface Client (awslambdaric).
"""

from __future__ import annotations

import importlib
import io
import json
import logging
import os
import signal
import socket
import struct
import sys
import threading
import time
import traceback
from collections.abc import Callable
from dataclasses import dataclass, field
from types import TracebackType
from typing import Any

Handler = Callable[[Any, "LambdaContext"], Any]
LENGTH = struct.Struct(">I")


@dataclass(kw_only=True)
class LambdaContext:
    """What a handler gets as its second argument."""

    aws_request_id: str
    invoked_function_arn: str
    deadline_ms: int
    function_name: str = field(default_factory=lambda: os.environ["AWS_LAMBDA_FUNCTION_NAME"])
    function_version: str = field(default_factory=lambda: os.environ["AWS_LAMBDA_FUNCTION_VERSION"])
    memory_limit_in_mb: str = field(default_factory=lambda: os.environ["AWS_LAMBDA_FUNCTION_MEMORY_SIZE"])
    log_group_name: str = field(default_factory=lambda: os.environ["AWS_LAMBDA_LOG_GROUP_NAME"])
    log_stream_name: str = field(default_factory=lambda: os.environ["AWS_LAMBDA_LOG_STREAM_NAME"])
    client_context: None = None
    identity: None = None

    def get_remaining_time_in_millis(self) -> int:
        """Tell how many milliseconds are left before the platform kills this environment."""
        return max(0, self.deadline_ms - int(time.time() * 1000))


class HandlerFault(Exception):
    """A handler that cannot be loaded, or whose answer cannot be sent."""

    def __init__(self, error_type: str, message: str) -> None:
        super().__init__(message)
        self.error_type = error_type


def main() -> None:
    """Load the handler, then answer invocations until the launcher hangs up."""
    control = socket.socket(fileno=int(sys.argv[1]))
    _die_with_the_launcher()
    request = _log_as_lambda_does()
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(line_buffering=True)
    init = _receive(control)
    if init is None:
        return
    sys.path[:0] = init["path"]
    # Whatever the import raises is the developer's to see in the answer to the first invocation, as on AWS.
    try:
        handler = _load(init["handler"])
    except BaseException:  # noqa: BLE001
        error = _describe("")
        _log_error(error)
        _send(control, json.dumps({"init_error": error}).encode())
        return
    _send(control, b'{"ready":true}')
    while (message := _receive(control)) is not None:
        request.identifier = message["request_id"]
        answer = _invoke(handler, message)
        _end_log(message["request_id"])
        _send(control, answer)


class _RequestFilter(logging.Filter):
    """Give every log record the id of the request that is being served."""

    identifier = ""

    def filter(self, record: logging.LogRecord) -> bool:
        record.aws_request_id = self.identifier
        return True


def _log_as_lambda_does() -> _RequestFilter:
    """Give the root logger the runtime's handler, which every function finds there on AWS."""
    request = _RequestFilter()
    handler = logging.StreamHandler(sys.stdout)
    form = "[%(levelname)s]\t%(asctime)s.%(msecs)dZ\t%(aws_request_id)s\t%(message)s"
    handler.setFormatter(logging.Formatter(form, "%Y-%m-%dT%H:%M:%S"))
    handler.addFilter(request)
    logging.Formatter.converter = time.gmtime
    logging.getLogger().addHandler(handler)
    return request


def _die_with_the_launcher() -> None:
    """Exit when the launcher is gone, also in the middle of a handler: standard input is a pipe only it holds open."""
    lifeline = os.dup(0)
    null = os.open(os.devnull, os.O_RDONLY)
    os.dup2(null, 0)
    os.close(null)

    def watch() -> None:
        os.read(lifeline, 1)
        # The launcher made this process the leader of a group, so that what a handler has started ends with it.
        os.killpg(0, signal.SIGKILL)

    threading.Thread(target=watch, name="lifeline", daemon=True).start()


def _load(reference: str) -> Handler:
    module_name, _, name = reference.rpartition(".")
    try:
        module = importlib.import_module(module_name.replace("/", "."))
    except ImportError as error:
        raise HandlerFault("Runtime.ImportModuleError", f"Unable to import module '{module_name}': {error}") from error
    except SyntaxError as error:
        raise HandlerFault("Runtime.UserCodeSyntaxError", f"Syntax error in module '{module_name}': {error}") from error
    try:
        handler: Handler = getattr(module, name)
    except AttributeError as error:
        raise HandlerFault("Runtime.HandlerNotFound", f"Handler '{name}' missing on module '{module_name}'") from error
    return handler


def _invoke(handler: Handler, message: dict[str, Any]) -> bytes:
    request_id: str = message["request_id"]
    if message["trace_header"]:
        os.environ["_X_AMZN_TRACE_ID"] = message["trace_header"]
    else:
        os.environ.pop("_X_AMZN_TRACE_ID", None)
    context = LambdaContext(
        aws_request_id=request_id, invoked_function_arn=message["arn"], deadline_ms=message["deadline_ms"]
    )
    # The record boundary of the runtime: a raise is an answer, and the environment serves the next invocation.
    try:
        return b'{"result":' + _encode(handler(message["event"], context)) + b"}"
    except Exception:  # noqa: BLE001
        error = _describe(request_id)
        _log_error(error)
        return json.dumps({"error": error}).encode()


def _encode(result: Any) -> bytes:
    try:
        return json.dumps(result).encode()
    except (TypeError, ValueError) as error:
        raise HandlerFault("Runtime.MarshalError", f"Unable to marshal response: {error}") from error


def _describe(request_id: str) -> dict[str, Any]:
    _, error, trace = sys.exc_info()
    fault = error if isinstance(error, HandlerFault) else None
    return {
        "errorMessage": str(error),
        "errorType": fault.error_type if fault else type(error).__name__,
        "requestId": request_id,
        "stackTrace": [] if fault else _own_frames(trace),
    }


def _own_frames(trace: TracebackType | None) -> list[str]:
    """Format the frames below this file and the import machinery, as the developer wrote them."""
    frames = [
        frame
        for frame in traceback.extract_tb(trace)
        if frame.filename != __file__
        and not frame.filename.startswith("<frozen importlib")
        and not frame.filename.endswith("importlib/__init__.py")
    ]
    return traceback.format_list(frames)


def _log_error(error: dict[str, Any]) -> None:
    lines = [f"[ERROR] {error['errorType']}: {error['errorMessage']}"]
    if error["stackTrace"]:
        lines.append("Traceback (most recent call last):")
        lines.extend(frame.rstrip("\n") for frame in error["stackTrace"])
    print("\n".join(lines), flush=True)


def _end_log(request_id: str) -> None:
    """Mark where this invocation's log ends, so that the launcher need not wait for lines that never come."""
    sys.stdout.flush()
    sys.stderr.flush()
    os.write(2, f"\x1e{request_id}\n".encode())


def _receive(control: socket.socket) -> dict[str, Any] | None:
    head = _read(control, LENGTH.size)
    body = _read(control, LENGTH.unpack(head)[0]) if head else b""
    return json.loads(body) if body else None


def _read(control: socket.socket, size: int) -> bytes:
    parts = bytearray()
    while len(parts) < size:
        part = control.recv(min(size - len(parts), 1 << 20))
        if not part:
            return b""
        parts += part
    return bytes(parts)


def _send(control: socket.socket, body: bytes) -> None:
    control.sendall(LENGTH.pack(len(body)) + body)


if __name__ == "__main__":
    main()
