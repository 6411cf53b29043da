"""CloudFormation's side of a custom resource: sends events and takes the answers."""

import json
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest

from cdk_app.custom_resources.answer import Event


@dataclass(kw_only=True)
class Invocation:
    """Lambda's context, with as much time left as the test says."""

    log_stream_name: str = "2026/11/23/[$LATEST]0123"
    remaining_ms: int = 900_000

    def get_remaining_time_in_millis(self) -> int:
        """Tell what the test says."""
        return self.remaining_ms


@dataclass(kw_only=True)
class CloudFormation:
    """Makes events whose answers come back here."""

    url: str
    answers: list[dict[str, Any]] = field(default_factory=list)
    content_types: list[str | None] = field(default_factory=list)

    def event(self, kind: str = "Create", **properties: str) -> Event:
        """Make an event as CloudFormation sends it; a resource that exists has a physical id."""
        event: Event = {
            "RequestType": kind,
            "RequestId": "request-1",
            "ResponseURL": self.url,
            "StackId": "arn:aws:cloudformation:us-east-1:123456789012:stack/GoChat-dev-Services/1",
            "LogicalResourceId": "Thing",
            "ResourceProperties": {"ServiceToken": "arn:aws:lambda:us-east-1:123456789012:function:f", **properties},
        }
        if kind != "Create":
            event["PhysicalResourceId"] = "the-thing"
        return event

    @property
    def answer(self) -> dict[str, Any]:
        """The one answer that came."""
        (answer,) = self.answers
        return answer


@pytest.fixture
def invocation() -> Invocation:
    """An invocation that has just begun."""
    return Invocation()


@pytest.fixture
def cloudformation() -> Iterator[CloudFormation]:
    """Listen for answers on a loopback port."""

    class Handler(BaseHTTPRequestHandler):
        def do_PUT(self) -> None:
            stand_in.answers.append(json.loads(self.rfile.read(int(self.headers["Content-Length"]))))
            stand_in.content_types.append(self.headers["Content-Type"])
            self.send_response(200)
            self.end_headers()

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the base class's name
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    stand_in = CloudFormation(url=f"http://127.0.0.1:{server.server_port}/answer?Signature=x")
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    yield stand_in
    server.shutdown()
    thread.join()
    server.server_close()
