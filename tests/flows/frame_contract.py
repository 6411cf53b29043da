"""Holds every frame that a client got to docs/api/asyncapi.yaml."""

from collections.abc import Iterable
from functools import cache
from pathlib import Path
from typing import Any

import jsonschema
import yaml

_DOCUMENT = Path(__file__).parents[2] / "docs" / "api" / "asyncapi.yaml"


@cache
def _validators() -> dict[str, jsonschema.Draft202012Validator]:
    document: dict[str, Any] = yaml.safe_load(_DOCUMENT.read_text())
    payloads = [message["payload"] for message in document["components"]["messages"].values()]
    return {
        payload["properties"]["event"]["const"]: jsonschema.Draft202012Validator(
            {**payload, "components": document["components"]}
        )
        for payload in payloads
        if "event" in payload.get("properties", {})
    }


def check_frames(frames: Iterable[dict[str, Any]]) -> None:
    """Fail for a frame of the server that is not as documented; one without `event` was made by the platform."""
    for frame in frames:
        if "event" not in frame:
            continue
        assert frame["event"] in _validators(), f"not a documented event: {frame}"
        _validators()[frame["event"]].validate(frame)
