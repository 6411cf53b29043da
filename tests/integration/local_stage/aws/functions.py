"""Invoke functions of the local AWS."""

from __future__ import annotations

import json
from typing import Any

from .conftest import LocalAws


def invoke(aws: LocalAws, name: str, event: Any = None, **options: Any) -> tuple[Any, str | None]:
    answer = aws.client("lambda").invoke(FunctionName=name, Payload=json.dumps(event).encode(), **options)
    return json.loads(answer["Payload"].read() or b"null"), answer.get("FunctionError")
