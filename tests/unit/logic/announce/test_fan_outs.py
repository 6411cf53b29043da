"""Fan-outs of large groups: one for each conversation, cut to fit into records, named by what they say."""

from typing import Any

import msgspec

from gochat_contracts.records import MAX_RECORD_BYTES, FanOutEvent, FanOutMessage, FanOutTask, TaskRecord, decode
from gochat_core.types import ConversationId, DeviceId, Seq
from logic.announce.announcement import Announcement
from logic.announce.fan_outs import fan_out_record, merge_fan_outs, name_fan_out

ONE, OTHER = ConversationId("ab" * 16), ConversationId("cd" * 16)


def said(*seqs: int, chat: ConversationId = ONE, version: int = 1, **more: Any) -> FanOutTask:
    messages = tuple(FanOutMessage(seq=Seq(seq), **more) for seq in seqs)
    return FanOutTask(conversation_id=chat, members_version=version, messages=messages)


def changed(*texts: str, chat: ConversationId = ONE, version: int = 1) -> FanOutTask:
    events = tuple(
        FanOutEvent(
            event="message.edited", data=msgspec.Raw(msgspec.json.encode(text)), at_seq=Seq(9), about_seq=Seq(1)
        )
        for text in texts
    )
    return FanOutTask(conversation_id=chat, members_version=version, events=events)


def records(fan_out: FanOutTask) -> list[TaskRecord]:
    return [decode(TaskRecord, one.value) for one in fan_out_record(fan_out, now_ms=7)]


def test_what_is_said_in_one_conversation_comes_as_one_in_its_order() -> None:
    merged = merge_fan_outs([said(1), said(1, chat=OTHER), changed("x", version=3), said(2, version=2), changed("y")])
    first, second = merged
    assert (first.conversation_id, second.conversation_id) == (ONE, OTHER)
    assert [one.seq for one in first.messages] == [1, 2]
    assert [bytes(one.data) for one in first.events] == [b'"x"', b'"y"']
    assert first.members_version == 3, "the latest: its pages know everybody"


def test_announcements_are_put_together_with_theirs() -> None:
    whole = Announcement(fan_outs=(said(1),)) + Announcement(fan_outs=(said(2), said(1, chat=OTHER)))
    assert [[one.seq for one in fan_out.messages] for fan_out in whole.fan_outs] == [[1, 2], [1]]
    assert whole.says_something()
    assert whole.audience() == set()
    assert not Announcement().says_something()


def test_a_name_says_what_is_said_and_not_through_whom() -> None:
    name = name_fan_out(said(1, 2, origin_device_id=DeviceId("phone"), accepted_at_ms=5, trace="Root=1"))
    assert name == name_fan_out(said(1, 2, version=8))
    assert len({name, *map(name_fan_out, (said(1), said(1, 2, chat=OTHER), changed("x"), changed("y")))}) == 5


def test_a_record_carries_the_trace_of_the_first_who_has_one() -> None:
    (record,) = records(merge_fan_outs([said(1), said(2, trace="Root=2"), changed("x")])[0])
    assert (record.trace, record.created_at_ms) == ("Root=2", 7)
    assert [one.key for one in fan_out_record(said(1), now_ms=7)] == [ONE.encode()]


def test_events_that_don_t_fit_into_one_record_come_in_several_and_messages_once() -> None:
    texts = ["x" * 40_000 + str(number) for number in range(20)]
    (whole,) = merge_fan_outs([said(1, 2), changed(*texts)])
    parts = [one.task for one in records(whole) if isinstance(one.task, FanOutTask)]
    assert len(parts) > 1
    assert [len(one.messages) for one in parts] == [2] + [0] * (len(parts) - 1)
    assert [msgspec.json.decode(event.data) for one in parts for event in one.events] == texts
    assert all(len(one.value) < 2 * MAX_RECORD_BYTES for one in fan_out_record(whole, now_ms=7))
    assert len({one.task_id for one in records(whole)}) == len(parts)
