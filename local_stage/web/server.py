"""Serves the files of the web page over HTTP on the loopback address."""

import http.server
import logging
from http import HTTPStatus
from typing import Any

from local_stage.services.ports import LOOPBACK
from local_stage.web.files import WebFiles

_log = logging.getLogger(__name__)


class WebServer(http.server.ThreadingHTTPServer):
    """Listen on one port and answer each request in a thread of its own."""

    daemon_threads = True

    def __init__(self, port: int, files: WebFiles) -> None:
        super().__init__((LOOPBACK, port), _Request)
        self.files = files


class _Request(http.server.BaseHTTPRequestHandler):
    server: WebServer
    protocol_version = "HTTP/1.1"
    timeout = 60

    def do_GET(self) -> None:
        """Answer with the file, or with 404."""
        file = self.server.files.find(self.path)
        content = file.content if file else b"There is no such page."
        self.send_response(HTTPStatus.OK if file else HTTPStatus.NOT_FOUND)
        self.send_header("content-type", file.content_type if file else "text/plain; charset=utf-8")
        self.send_header("content-length", str(len(content)))
        self.send_header("cache-control", "no-store")
        for name, value in self.server.files.headers().items():
            self.send_header(name, value)
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(content)

    do_HEAD = do_GET  # noqa: N815 - the standard library's name

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 - the standard library's name
        _log.debug(format, *args)
