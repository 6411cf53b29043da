from datetime import UTC, datetime
from typing import Any

import msgspec
import pytest

from gochat_contracts.records import PUSH_LIFETIME_MS
from gochat_core.ids import single_conversation_id
from gochat_core.types import ClientMsgId, DeviceId, MessageId, Seq, UserId
from gochat_repo.messages import StoredMessage
from gochat_repo.push_facts import PushFacts
from gochat_repo.push_preferences import PushPreferences
from task.worker.decide_push import Decision, decide_push, is_quiet
from task.worker.push_texts import MAX_BODY_CHARACTERS, MAX_TITLE_CHARACTERS, write_texts

ALICE, BOB = UserId(1), UserId(2)
MESSAGE = StoredMessage(
    conversation_id=single_conversation_id(ALICE, BOB),
    seq=Seq(7),
    message_id=MessageId(70),
    sender_id=ALICE,
    client_msg_id=ClientMsgId("m"),
    content_hash=b"",
    type="text",
    content=b'{"text":"hello"}',
    reply_to_seq=None,
    mentions=(),
    created_at_ms=int(datetime(2026, 11, 23, 11, 59, tzinfo=UTC).timestamp() * 1000),
)
FACTS = PushFacts(
    conversation_type="single",
    join_seq=Seq(1),
    left_seq=None,
    seen_seq=6,
    is_muted=False,
    has_blocked=False,
    devices=((DeviceId("phone"), "fcm"),),
)
NOON = int(datetime(2026, 11, 23, 12, 0, tzinfo=UTC).timestamp() * 1000)
LUNCH = PushPreferences(quiet_hours=(11 * 60, 13 * 60))
MENTIONS_BOB, MENTIONS_ALL, MENTIONS_ALICE = {"mentions": ("2",)}, {"mentions": ("all",)}, {"mentions": ("1",)}


@pytest.mark.parametrize(
    ("message", "facts", "in_storm", "kind", "reason"),
    [
        ({}, {}, False, "alert", ""),
        ({}, {}, True, "silent", "storm"),
        ({}, {"devices": ()}, False, "none", "no_token"),
        ({"sender_id": BOB}, {}, False, "none", "own_message"),
        ({"sender_id": BOB, **MENTIONS_BOB}, {}, False, "none", "own_message"),
        ({"type": "system"}, {}, False, "none", "system_message"),
        ({}, {"join_seq": Seq(8)}, False, "none", "not_a_member"),
        ({}, {"left_seq": Seq(7)}, False, "none", "not_a_member"),
        ({}, {"left_seq": Seq(8)}, False, "alert", ""),
        ({"recalled_at_ms": 5}, {}, False, "none", "recalled"),
        ({}, {"has_blocked": True}, False, "none", "blocked"),
        (MENTIONS_BOB, {"has_blocked": True}, False, "none", "blocked"),
        ({}, {"seen_seq": 7}, False, "none", "read"),
        (MENTIONS_BOB, {"seen_seq": 9}, False, "none", "read"),
        ({}, {"is_muted": True}, False, "none", "muted"),
        (MENTIONS_ALICE, {"is_muted": True}, False, "none", "muted"),
        (MENTIONS_BOB, {"is_muted": True}, False, "alert", ""),
        (MENTIONS_ALL, {"is_muted": True}, False, "alert", ""),
        (MENTIONS_BOB, {"is_muted": True}, True, "silent", "storm"),
        ({"created_at_ms": NOON - PUSH_LIFETIME_MS}, {}, False, "none", "expired"),
        ({"created_at_ms": NOON - PUSH_LIFETIME_MS + 1}, {}, False, "alert", ""),
        ({}, {"preferences": LUNCH}, False, "silent", "quiet_hours"),
        ({}, {"preferences": LUNCH}, True, "silent", "quiet_hours"),
        (MENTIONS_BOB, {"preferences": LUNCH}, False, "silent", "quiet_hours"),
        ({}, {"preferences": LUNCH, "is_muted": True}, False, "none", "muted"),
    ],
)
def test_who_is_away_is_told_of_what_concerns_them(
    message: dict[str, Any], facts: dict[str, Any], in_storm: bool, kind: Any, reason: str
) -> None:
    changed, known = msgspec.structs.replace(MESSAGE, **message), msgspec.structs.replace(FACTS, **facts)
    decided = decide_push(changed, BOB, known, now_ms=NOON, in_storm=in_storm)
    assert decided == Decision(kind=kind, reason=reason)


def test_who_has_no_device_is_not_told() -> None:
    assert decide_push(MESSAGE, BOB, None, now_ms=NOON) == Decision(kind="none", reason="no_token")


@pytest.mark.parametrize(
    ("zone", "start", "end", "is_so"),
    [
        ("UTC", "12:00", "12:01", True),
        ("UTC", "11:00", "12:00", False),
        ("UTC", "12:01", "11:59", False),
        ("Asia/Shanghai", "19:30", "20:30", True),
        ("Asia/Shanghai", "22:00", "07:00", False),
        ("America/Los_Angeles", "22:00", "07:00", True),
        ("America/Los_Angeles", "22:00", "04:00", False),
        ("Asia/Kathmandu", "17:45", "17:46", True),
        ("Gone/Away", "00:00", "23:59", False),
    ],
)
def test_quiet_hours_are_those_of_the_users_clock(zone: str, start: str, end: str, is_so: bool) -> None:
    minutes = tuple(int(time[:2]) * 60 + int(time[3:]) for time in (start, end))
    preferences = PushPreferences(quiet_hours=(minutes[0], minutes[1]), time_zone=zone)
    assert is_quiet(preferences, now_ms=NOON) is is_so


def test_quiet_hours_follow_the_clocks_when_they_change() -> None:
    preferences = PushPreferences(quiet_hours=(22 * 60, 7 * 60), time_zone="Europe/Berlin")
    winter = int(datetime(2026, 12, 1, 5, 30, tzinfo=UTC).timestamp() * 1000)
    summer = int(datetime(2026, 7, 1, 5, 30, tzinfo=UTC).timestamp() * 1000)
    assert (is_quiet(preferences, now_ms=winter), is_quiet(preferences, now_ms=summer)) == (True, False)


def texts(message: dict[str, Any] | None = None, **options: Any) -> tuple[str, str]:
    defaults: dict[str, Any] = {
        "count": 1,
        "language": "en",
        "previews": True,
        "sender_name": "Alice",
        "group_name": None,
    }
    return write_texts(msgspec.structs.replace(MESSAGE, **message or {}), **defaults | options)


def test_a_notification_says_who_wrote_what_unless_that_is_nobodys_business() -> None:
    assert texts() == ("Alice", "hello")
    assert texts(group_name="Friends") == ("Friends", "Alice: hello")
    assert texts(count=3) == ("Alice", "3 new messages")
    assert texts(language="zh", count=3) == ("Alice", "3 条新消息")
    assert texts({"type": "image", "content": b"{}"}, language="zh") == ("Alice", "[图片]")
    assert texts({"type": "custom", "content": b"{}"}) == ("Alice", "New message")
    for options in ({}, {"group_name": "Friends"}, {"count": 2}):
        title, body = texts(previews=False, **options)
        assert title == "GoChat"
        assert not {"Alice", "hello", "Friends"} & set(body.split())


def test_a_notification_is_one_short_line_without_control_characters() -> None:
    content = msgspec.json.encode({"text": "a\x00b\n\u2028c\x1b[31m " + "😀" * 500})
    title, body = texts({"content": content}, sender_name="A\tlice " + "x" * 100)
    assert body.startswith("a b c [31m 😀")
    assert len(body) <= MAX_BODY_CHARACTERS
    assert len(title) <= MAX_TITLE_CHARACTERS
    assert title.startswith("A lice")
    assert (body + title).isprintable()
