"""A stand-in for Lambda's Invoke API over real HTTP, with the failures that Lambda can show."""

import json
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import unquote


@dataclass(kw_only=True)
class LambdaApi:
    """What the stand-in was asked, and what it shall answer.

    `function` answers a payload; `status` other than 200 refuses the next calls; `function_error` is the body of a
    function that raised; `drop_next` closes the connection instead of answering; `hold` delays the answer until set.
    """

    function: Callable[[bytes], bytes]
    endpoint: str = ""
    status: int = 200
    function_error: dict[str, str] | None = None
    drop_next: int = 0
    hold: threading.Event | None = None
    functions_invoked: list[str] = field(default_factory=list)
    events: list[Any] = field(default_factory=list)
    headers: list[dict[str, str]] = field(default_factory=list)
    connections: int = 0


class _Handler(BaseHTTPRequestHandler):
    api: LambdaApi
    protocol_version = "HTTP/1.1"

    def setup(self) -> None:
        super().setup()
        self.api.connections += 1

    def do_POST(self) -> None:
        payload = self.rfile.read(int(self.headers["Content-Length"]))
        if self.api.drop_next:
            self.api.drop_next -= 1
            self.close_connection = True
            return
        if self.api.hold is not None:
            self.api.hold.wait(timeout=10)
        self.api.functions_invoked.append(unquote(self.path.split("/")[3]))
        self.api.headers.append(dict(self.headers.items()))
        self._answer(payload)

    def _answer(self, payload: bytes) -> None:
        error = None
        if self.api.status != 200:
            status, body = self.api.status, b'{"Type":"User"}'
        elif self.headers["X-Amz-Invocation-Type"] == "Event":
            status, body = 202, b""
            self.api.events.append(json.loads(payload))
        elif self.api.function_error:
            status, body, error = 200, json.dumps(self.api.function_error).encode(), "Unhandled"
        else:
            status, body = 200, self.api.function(payload)
        self.send_response(status)
        if error:
            self.send_header("X-Amz-Function-Error", error)
        self.send_header("Content-Length", str(len(body)))
        with suppress(ConnectionError):  # a caller whose time was over has gone
            self.end_headers()
            self.wfile.write(body)

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002  # the name is the base class's
        pass


@contextmanager
def serve_lambda_api(function: Callable[[bytes], bytes]) -> Iterator[LambdaApi]:
    """Serve on a free port of this machine until the block is left."""
    api = LambdaApi(function=function)

    handler = type("Handler", (_Handler,), {"api": api})
    server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
    server.daemon_threads = True
    api.endpoint = f"http://127.0.0.1:{server.server_port}"
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    try:
        yield api
    finally:
        if api.hold is not None:
            api.hold.set()
        server.shutdown()
        thread.join()
        server.server_close()
