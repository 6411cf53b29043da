"""docs/api/openapi.yaml, and whether an answer is one of those that it promises."""

import re
from collections.abc import Iterator, Mapping
from functools import cache
from pathlib import Path
from typing import Any

import yaml
from jsonschema import Draft202012Validator
from referencing import Registry, Resource

PATH = Path(__file__).parents[2] / "docs" / "api" / "openapi.yaml"

_BASE = "urn:openapi"
_UNKNOWN = {"not_found": "NotFound", "method_not_allowed": "MethodNotAllowed"}
"""Answers to what is no operation, so that no operation lists them."""


@cache
def document() -> Any:
    """Return the document."""
    return yaml.safe_load(PATH.read_text())


def resolve(part: Any) -> Any:
    """Follow a reference within the document."""
    while "$ref" in part:
        found = document()
        for step in part["$ref"].removeprefix("#/").split("/"):
            found = found[step.replace("~1", "/")]
        part = found
    return part


def operations() -> Iterator[tuple[str, str, Any]]:
    """Yield method, path and operation of each."""
    for path, item in document()["paths"].items():
        for method, operation in item.items():
            if method != "parameters":
                yield method.upper(), path, operation


def validator(schema: Any) -> Draft202012Validator:
    """Return what validates against a schema of the document."""
    registry: Any = Registry().with_resource(
        _BASE, Resource.from_contents({"$schema": "https://json-schema.org/draft/2020-12/schema", **document()})
    )
    return Draft202012Validator(_absolute(schema), registry=registry)


def check_answer(method: str, path: str, *, status: int, headers: Mapping[str, str], value: Any) -> None:
    """Fail unless the document promises such an answer to such a request; `value` is None without a body."""
    response = _promised(method, path, status, value)
    for name, header in response.get("headers", {}).items():
        assert name in headers or not resolve(header)["required"], f"{method} {path}: the header {name} is missing"
    content = response.get("content")
    if content is None:
        assert value is None, f"{method} {path}: {status} has a body"
        return
    (media_type,) = content
    assert headers["content-type"] == media_type
    validator(content[media_type]["schema"]).validate(value)
    codes = response.get("x-codes")
    assert codes is None or value["code"] in codes, f"{method} {path}: {status} {value['code']} is not documented"


def _promised(method: str, path: str, status: int, value: Any) -> Any:
    if isinstance(value, dict) and value.get("code") in _UNKNOWN:
        return document()["components"]["responses"][_UNKNOWN[value["code"]]]
    # Of the paths that fit, the one without parameters is meant.
    for documented in sorted(document()["paths"], key=lambda one: one.count("{")):
        if re.fullmatch(re.sub(r"\{\w+\}", "[^/]+", documented), path):
            responses = document()["paths"][documented][method.lower()]["responses"]
            assert str(status) in responses, f"{method} {documented}: {status} is not documented: {value}"
            return resolve(responses[str(status)])
    raise AssertionError(f"{method} {path} is not documented")


def _absolute(part: Any) -> Any:
    if isinstance(part, dict):
        return {key: _BASE + value if key == "$ref" else _absolute(value) for key, value in part.items()}
    return [_absolute(one) for one in part] if isinstance(part, list) else part
