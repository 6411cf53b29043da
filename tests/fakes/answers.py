"""Answers of a REST API that a test writes down, in place of the connection of `gochat_client.door.Door`."""

import json
from collections.abc import Callable, Iterable, Mapping
from typing import Any
from urllib.parse import urlsplit

from gochat_client.door import Answer

Respond = Callable[[str, str, Mapping[str, Any]], Answer]
"""(method, path below the API, body) to the answer."""


def answer(status: int, body: object = None, **headers: str) -> Answer:
    """Write an answer."""
    text = b"" if body is None else json.dumps(body).encode()
    return Answer(status=status, headers={name.replace("_", "-"): value for name, value in headers.items()}, body=text)


class Answering:
    """Gives one answer after the other, or what a function says; `asked` tells what it was asked."""

    def __init__(self, answers: Iterable[Answer] = (), respond: Respond | None = None) -> None:
        self._left = iter(answers)
        self._respond = respond
        self.asked: list[str] = []

    def __call__(self, method: str, url: str, headers: Mapping[str, str], body: bytes | None) -> Answer:
        """Answer one request."""
        path = urlsplit(url).path.removeprefix("/api/v1")
        self.asked.append(f"{method} {path}")
        return self._respond(method, path, json.loads(body or b"{}")) if self._respond else next(self._left)
