"""Decides which records an event source mapping's FilterCriteria let through."""

import json
import operator
from collections.abc import Iterable, Mapping
from typing import Any, Final

Pattern = Mapping[str, Any]

# Lambda developer guide, "Filter rule syntax": the rules below are the ones that it lists.
_RULES: Final = {"prefix", "suffix", "anything-but", "numeric", "exists", "equals-ignore-case"}
_COMPARISONS: Final = {
    "=": operator.eq,
    "<": operator.lt,
    "<=": operator.le,
    ">": operator.gt,
    ">=": operator.ge,
}
_MISSING: Final = object()


def parse_patterns(texts: Iterable[str]) -> tuple[Pattern, ...]:
    """Return the patterns; ValueError if one is no JSON object or uses a rule that the guide does not list."""
    patterns = []
    for text in texts:
        pattern = json.loads(text)
        if not isinstance(pattern, dict):
            raise ValueError(f"a pattern is a JSON object: {text}")  # noqa: TRY004 - one error for every bad pattern
        _check(pattern)
        patterns.append(pattern)
    return tuple(patterns)


def is_wanted(patterns: tuple[Pattern, ...], *, key: bytes | None, value: bytes | None) -> bool:
    """Say whether a record matches any pattern; without patterns every record does.

    A pattern may ask for `value` and for `key`. "Filtering events from Kafka event sources": a JSON pattern drops a
    record that is no valid JSON, a pattern for plain strings one that is JSON.
    """
    if not patterns:
        return True
    record = {"value": _decode(value), "key": _decode(key)}
    return any(_matches(pattern, record) for pattern in patterns)


def _decode(raw: bytes | None) -> Any:
    """Return parsed JSON objects and arrays, text for anything else: a plain `error` is a string, not bad JSON."""
    if raw is None:
        return _MISSING
    try:
        text = raw.decode()
    except UnicodeDecodeError:
        return _MISSING
    try:
        parsed = json.loads(text)
    except ValueError:
        return text
    return parsed if isinstance(parsed, dict | list) else text


def _matches(pattern: Any, value: Any) -> bool:
    if isinstance(pattern, dict):
        found = value if isinstance(value, dict) else {}
        if any(name == "$or" for name in pattern):
            return _matches_or(pattern, value)
        return all(_matches(inner, found.get(name, _MISSING)) for name, inner in pattern.items())
    return any(_matches_rule(rule, value) for rule in pattern)


def _matches_or(pattern: dict[str, Any], value: Any) -> bool:
    others = {name: inner for name, inner in pattern.items() if name != "$or"}
    return _matches(others, value) and any(_matches(choice, value) for choice in pattern["$or"])


def _matches_rule(rule: Any, value: Any) -> bool:
    if isinstance(value, list):
        return any(_matches_rule(rule, item) for item in value)
    if not isinstance(rule, dict):
        return value is not _MISSING and type(rule) is type(value) and rule == value
    (name, operand), *_ = rule.items()
    if name == "exists":
        return (value is not _MISSING) is operand
    if value is _MISSING:
        return False
    return _matches_operand(name, operand, value)


def _matches_operand(name: str, operand: Any, value: Any) -> bool:
    if name == "anything-but":
        return _matches_anything_but(operand, value)
    if name == "numeric":
        return isinstance(value, int | float) and not isinstance(value, bool) and _in_range(operand, value)
    if not isinstance(value, str):
        return False
    if name == "prefix":
        return value.startswith(operand)
    if name == "suffix":
        return value.endswith(operand)
    return value.casefold() == str(operand).casefold()


def _matches_anything_but(operand: Any, value: Any) -> bool:
    if isinstance(operand, dict):
        return not _matches_rule(operand, value)
    return value not in (operand if isinstance(operand, list) else [operand])


def _in_range(bounds: list[Any], value: float) -> bool:
    pairs = zip(bounds[::2], bounds[1::2], strict=True)
    return all(bool(_COMPARISONS[sign](value, bound)) for sign, bound in pairs)


def _check(pattern: Any) -> None:
    if isinstance(pattern, dict):
        for name, inner in pattern.items():
            if name == "$or":
                for choice in inner:
                    _check(choice)
            else:
                _check(inner)
        return
    if not isinstance(pattern, list):
        raise ValueError(f"a pattern's values are lists of rules: {pattern!r}")  # noqa: TRY004 - as above
    for rule in pattern:
        if isinstance(rule, dict) and (len(rule) != 1 or not set(rule) <= _RULES):
            raise ValueError(f"unknown rule {rule!r}: the guide lists {', '.join(sorted(_RULES))}")
