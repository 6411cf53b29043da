"""Asks a stage from outside, as its clients do, whether it serves."""

import http.client
import json
import socket
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

_TIMEOUT_S = 10.0
_POLL_S = 0.1

OK = "ok"


class NotServing(Exception):
    """The stage did not answer as a serving one does, for as long as one waits."""


@dataclass(frozen=True, kw_only=True)
class Answer:
    """One answer of the stage: its status, or 0 and the reason why there was none."""

    status: int
    reason: str = ""


def ask_http(http_url: str) -> str:
    """Call the open health operation; give "ok" or what is wrong."""
    answer = _get(f"{http_url}/api/v1/health", {})
    return OK if answer.status == http.client.OK else f"GET /api/v1/health gives {_text(answer)}"


def ask_websocket(websocket_url: str) -> str:
    """Try a handshake without a token, which a serving stage refuses with 401; give "ok" or what is wrong."""
    handshake = {
        "Connection": "Upgrade",
        "Upgrade": "websocket",
        "Sec-WebSocket-Version": "13",
        "Sec-WebSocket-Key": "AAAAAAAAAAAAAAAAAAAAAA==",
    }
    answer = _get(websocket_url, handshake)
    return OK if answer.status == http.client.UNAUTHORIZED else f"a handshake without a token gives {_text(answer)}"


def ask_web(web_url: str) -> str:
    """Get the web page; give "ok" or what is wrong."""
    answer = _get(web_url, {})
    return OK if answer.status == http.client.OK else f"GET {web_url} gives {_text(answer)}"


def ask_port(host: str, port: int) -> str:
    """Open a connection; give "ok" or what is wrong."""
    try:
        socket.create_connection((host, port), _TIMEOUT_S).close()
    except OSError as error:
        return str(error)
    return OK


def ask_mappings(status_file: Path) -> str:
    """Read what the pollers tell of themselves; give "ok" when each of them works its topic, or what is wrong."""
    try:
        status = json.loads(status_file.read_text())
    except (OSError, ValueError):
        return "the Kafka pollers have told nothing yet"
    if status["endpoint_error"]:
        return str(status["endpoint_error"])
    if not status["mappings"]:
        return "no event source mapping is polled"
    idle = [mapping for mapping in status["mappings"] if mapping["state"] != "Running"]
    return "; ".join(f"{each['topic']} is {each['state']} ({each['last_error']})" for each in idle) or OK


def wait_until_serving(questions: list[Callable[[], str]], *, timeout_s: float, give_up: Callable[[], bool]) -> None:
    """Ask until every answer is "ok"; NotServing with the last answers when time is up or `give_up` says so."""
    deadline = time.monotonic() + timeout_s
    while True:
        faults = [answer for question in questions if (answer := question()) != OK]
        if not faults:
            return
        if time.monotonic() > deadline or give_up():
            raise NotServing("; ".join(faults))
        time.sleep(_POLL_S)


def _get(url: str, headers: dict[str, str]) -> Answer:
    parts = urlsplit(url)
    kind = http.client.HTTPSConnection if parts.scheme in ("https", "wss") else http.client.HTTPConnection
    connection = kind(parts.hostname or "", parts.port, timeout=_TIMEOUT_S)
    try:
        connection.request("GET", parts.path or "/", headers=headers)
        return Answer(status=connection.getresponse().status)
    except (OSError, http.client.HTTPException) as error:
        return Answer(status=0, reason=str(error) or type(error).__name__)
    finally:
        connection.close()


def _text(answer: Answer) -> str:
    return str(answer.status) if answer.status else answer.reason
