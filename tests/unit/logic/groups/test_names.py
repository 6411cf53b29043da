"""What is a group's name, and what of a time that a client writes."""

from datetime import datetime

import pytest

from gochat_contracts.groups import time_ms, trim_group_name
from gochat_core.clock import rfc3339
from gochat_core.errors import GroupNotFound, InvalidRequest
from gochat_core.ids import group_ids, parse_group_id


@pytest.mark.parametrize("name", ["x", "🎉", "👨‍👩‍👧", "é" * 100, "two words", "עברית"])
def test_what_can_be_seen_on_one_line_is_a_name(name: str) -> None:
    assert trim_group_name(f" {name}\u3000") == name


@pytest.mark.parametrize("name", ["", " ", "\u200b\u200d", "x" * 101, "a\nb", "a\x00b", "a\u2028b", "a\x85b", "a\tb"])
def test_what_can_not_is_none(name: str) -> None:
    with pytest.raises(InvalidRequest):
        trim_group_name(name)


def test_a_time_beyond_the_calendar_is_its_end() -> None:
    assert time_ms(datetime.fromisoformat("2026-11-23T08:00:00.123+01:00")) == 1795417200123
    assert rfc3339(time_ms(datetime.fromisoformat("9999-12-31T23:59:59-14:00"))) == "9999-12-31T23:59:59.000Z"
    assert time_ms(datetime.fromisoformat("0001-01-01T00:00:00+14:00")) < 0


def test_the_same_random_bytes_make_the_same_ids_and_others_make_others() -> None:
    group_id, conversation_id = group_ids(b"a" * 16)
    assert (group_id, conversation_id) == group_ids(b"a" * 16)
    assert group_ids(b"b" * 16)[0] != group_id
    assert parse_group_id(str(group_id)) == group_id
    assert len(conversation_id) == 32
    for text in ("", "0", "-1", "x", str(1 << 63)):
        with pytest.raises(GroupNotFound):
            parse_group_id(text)
