from typing import Annotated

import msgspec
import pytest

from gochat_core.bodies import check_values, read_body, read_members, read_object
from gochat_core.errors import InvalidRequest


class Body(msgspec.Struct, frozen=True, kw_only=True):
    name: Annotated[str, msgspec.Meta(min_length=1)]
    count: int
    tags: list[str] = []
    nested: dict[str, int] | None = None


def fields_at_fault(data: bytes) -> list[str]:
    with pytest.raises(InvalidRequest) as raised:
        read_body(Body, data)
    return [fault.field for fault in raised.value.faults]


def test_a_body_is_read_and_what_nobody_asked_for_ignored() -> None:
    body = read_body(Body, '{"name":"é","count":2,"tags":["a"],"nested":null,"later":[1]}'.encode())
    assert body == Body(name="é", count=2, tags=["a"], nested=None)


def test_every_fault_is_told_not_only_the_first() -> None:
    assert fields_at_fault(b'{"name":"","tags":[1]}') == ["name", "count", "tags.0"]


def test_the_path_of_a_fault_leads_to_the_element() -> None:
    assert fields_at_fault(b'{"name":"a","count":1,"tags":["a","b",3]}') == ["tags.2"]


@pytest.mark.parametrize("data", [b"", b"[]", b"1", b"{", b'{"a":1} x', b"\xff", b'{"a":\xff}', b'{"a":' * 2000])
def test_what_is_no_json_object_is_refused(data: bytes) -> None:
    with pytest.raises(InvalidRequest):
        read_body(Body, data)


@pytest.mark.parametrize("name", [rb'"\ud800"', b'"\xff"', b"1e999", b"{", b"[" * 3000 + b"]" * 3000])
def test_a_member_that_json_cannot_carry_is_refused(name: bytes) -> None:
    with pytest.raises(InvalidRequest):
        read_body(Body, b'{"count":1,"name":' + name + b"}")


def test_faults_of_a_nested_object_begin_with_its_name() -> None:
    with pytest.raises(InvalidRequest) as raised:
        read_members(Body, read_object(b'{"count":"x"}'), prefix="content.")
    assert [fault.field for fault in raised.value.faults] == ["content.name", "content.count"]


def test_decoded_values_stand_under_the_same_rules() -> None:
    assert check_values(Body, {"name": "a", "count": 1}) == Body(name="a", count=1)
    with pytest.raises(InvalidRequest) as raised:
        check_values(Body, {"name": "", "tags": [2]})
    assert [fault.field for fault in raised.value.faults] == ["name", "count", "tags.0"]


def test_a_fault_never_quotes_what_was_sent() -> None:
    with pytest.raises(InvalidRequest) as raised:
        read_body(Body, b'{"name":12345678,"count":"hunter2hunter2"}')
    assert "hunter2" not in str([*raised.value.faults, raised.value.detail])
