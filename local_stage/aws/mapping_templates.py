"""Select and render the mapping templates of MOCK integrations of WebSocket APIs."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from typing import Any

_VARIABLE = re.compile(r"\$(?:\{([a-z]+(?:\.\w+)*)\}|([a-z]+(?:\.[A-Za-z]\w*)*))(\('\$((?:\.\w+)*)'\))?")


class UnsupportedTemplateError(Exception):
    """A template uses more of the Velocity language than is rendered here."""


def value_at(document: Any, path: str) -> Any:
    """Follow a dotted path through JSON objects; None where it ends."""
    for name in filter(None, path.split(".")):
        if not isinstance(document, Mapping) or name not in document:
            return None
        document = document[name]
    return document


def parse_body(body: str) -> Any:
    """Read a frame as JSON; None if it is none, or nests deeper than can be read."""
    try:
        return json.loads(body)
    except (ValueError, RecursionError):
        return None


def select_route_key(expression: str, body: str) -> str:
    """Evaluate a route selection expression such as `$request.body.action` against a frame.

    Source: API Gateway, "Route selection expressions": whatever selects no route goes to `$default`.
    """
    if not expression.startswith(("$request.body.", "${request.body.")):
        return "$default"
    value = value_at(parse_body(body), expression.strip("${}").removeprefix("request.body."))
    if value is None or isinstance(value, dict | list) or str(value).startswith("$"):
        return "$default"
    return str(value).lower() if isinstance(value, bool) else str(value)


def select_template(templates: Mapping[str, str], expression: str | None, *, body: str, status: int) -> str | None:
    """Choose a template by its selection expression, falling back to the key `$default`; None if there is neither.

    Source: API Gateway, "Template selection expressions"; `\\$default` and literals such as `200` stand for themselves.
    """
    key = (expression or "$default").replace("\\$", "$")
    if key.strip("${}") == "integration.response.statuscode":
        key = str(status)
    elif key.startswith(("$request.body.", "${request.body.")):
        key = select_route_key(key, body)
    return templates.get(key, templates.get("$default"))


def render(template: str, *, context: Mapping[str, Any], body: str) -> str:
    """Fill `$context.…`, `$input.body`, `$input.json('$.…')` and `$input.path('$.…')` into a template."""
    if re.search(r"^\s*#\w", template, re.MULTILINE):
        raise UnsupportedTemplateError("The local AWS renders variables of mapping templates, no # directives.")

    def fill(match: re.Match[str]) -> str:
        name, argument = match[1] or match[2], match[4] or ""
        if name.startswith("context."):
            return _text(value_at(context, name.removeprefix("context.")))
        if name == "input.body":
            return body
        if name == "input.json":
            return json.dumps(value_at(parse_body(body), argument))
        if name == "input.path":
            return _text(value_at(parse_body(body), argument))
        raise UnsupportedTemplateError(f"The local AWS does not know ${name} in mapping templates.")

    return _VARIABLE.sub(fill, template)


def _text(value: Any) -> str:
    return "" if value is None else value if isinstance(value, str) else json.dumps(value)
