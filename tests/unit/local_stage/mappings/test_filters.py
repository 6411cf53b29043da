import json
from typing import Any

import pytest

from local_stage.mappings.filters import is_wanted, parse_patterns


def wanted(pattern: Any, value: Any = None, *, key: bytes | None = None) -> bool:
    raw = value if isinstance(value, bytes) else json.dumps(value).encode()
    return is_wanted(parse_patterns([json.dumps(pattern)]), key=key, value=raw)


def test_without_patterns_everything_is_wanted() -> None:
    assert is_wanted((), key=None, value=b"\xff")


@pytest.mark.parametrize(
    ("rule", "value", "expected"),
    [
        ("a", "a", True),
        ("a", "b", False),
        (1, 1, True),
        (1, "1", False),
        (True, 1, False),
        (None, None, True),
        ({"prefix": "AB"}, "ABC", True),
        ({"prefix": "AB"}, "CAB", False),
        ({"suffix": "C"}, "ABC", True),
        ({"prefix": "1"}, 12, False),
        ({"equals-ignore-case": "alice"}, "ALICE", True),
        ({"anything-but": ["error"]}, "fine", True),
        ({"anything-but": ["error"]}, "error", False),
        ({"anything-but": "error"}, "error", False),
        ({"anything-but": {"prefix": "tmp"}}, "tmp-1", False),
        ({"anything-but": {"prefix": "tmp"}}, "x", True),
        ({"numeric": ["=", 100]}, 100, True),
        ({"numeric": [">", 10, "<=", 20.5]}, 20, True),
        ({"numeric": [">", 10, "<=", 20.5]}, 10, False),
        ({"numeric": [">=", 10]}, True, False),
        ({"numeric": ["<", 10]}, "5", False),
        ({"exists": True}, "anything", True),
        ({"exists": False}, "anything", False),
        ("b", ["a", "b"], True),
        ("c", ["a", "b"], False),
    ],
)
def test_each_rule_of_the_guide_matches_as_it_says(rule: Any, value: Any, expected: bool) -> None:
    assert wanted({"value": {"field": [rule]}}, {"field": value}) is expected


@pytest.mark.parametrize(("rule", "expected"), [({"exists": False}, True), ({"exists": True}, False), ("x", False)])
def test_a_missing_field_matches_only_the_rule_that_asks_for_its_absence(rule: Any, expected: bool) -> None:
    assert wanted({"value": {"field": [rule]}}, {"other": 1}) is expected


def test_rules_of_a_field_are_alternatives_and_fields_are_all_required() -> None:
    pattern = {"value": {"kind": ["a", "b"], "size": [{"numeric": [">", 1]}]}}
    assert wanted(pattern, {"kind": "b", "size": 2})
    assert not wanted(pattern, {"kind": "b", "size": 1})


def test_patterns_nest() -> None:
    assert wanted({"value": {"session": {"device": ["phone"]}}}, {"session": {"device": "phone"}})
    assert not wanted({"value": {"session": {"device": ["phone"]}}}, {"session": "phone"})


def test_or_offers_alternatives_between_fields() -> None:
    pattern = {"value": {"$or": [{"kind": ["a"]}, {"size": [1]}], "live": [True]}}
    assert wanted(pattern, {"size": 1, "live": True})
    assert not wanted(pattern, {"size": 1, "live": False})
    assert not wanted(pattern, {"size": 2, "live": True})


def test_any_one_of_several_patterns_suffices() -> None:
    patterns = parse_patterns(['{"value":{"kind":["a"]}}', '{"value":{"kind":["b"]}}'])
    assert is_wanted(patterns, key=None, value=b'{"kind":"b"}')


def test_a_plain_string_is_matched_as_it_is() -> None:
    assert not wanted({"value": [{"anything-but": ["error"]}]}, b"error")
    assert wanted({"value": [{"anything-but": ["error"]}]}, b"all is well")


def test_the_key_is_matched_too() -> None:
    assert wanted({"key": [{"prefix": "user-"}]}, {}, key=b"user-1")
    assert not wanted({"key": [{"prefix": "user-"}]}, {}, key=None)


@pytest.mark.parametrize("value", [b"no json", b"\xff\xfe", b"[1]"])
def test_a_json_pattern_drops_a_record_of_another_format(value: bytes) -> None:
    assert not wanted({"value": {"field": ["x"]}}, value)


@pytest.mark.parametrize("pattern", ["[]", '{"value":"x"}', '{"value":[{"prefix":"a","suffix":"b"}]}', "{"])
def test_a_pattern_that_breaks_the_rules_is_refused(pattern: str) -> None:
    with pytest.raises(ValueError, match=r".+"):
        parse_patterns([pattern])
