"""Events that a later one makes needless: a client that gets the rest knows what one knows that gets them all."""

import json
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.deliver.lanes import plan_lanes
from gateway.deliver.superseded import find_superseded
from gochat_contracts.records import ConnectionRef, DownstreamItem, DownstreamRecord, MessageRef
from gochat_core.types import ConnectionId, ConversationId, DeviceId, Seq, UserId

NOW_MS = 1_795_413_600_000
ALICE, BOB = "7340032000", "7340032001"
CHATS = ("a" * 32, "b" * 32)

Event = tuple[str, dict[str, Any]]


def item(event: Event) -> DownstreamItem:
    name, data = event
    ref = MessageRef(conversation_id=ConversationId(CHATS[0]), seq=Seq(1)) if name == "message.new" else None
    return DownstreamItem(
        event=name, data=msgspec.Raw(msgspec.json.encode(data)), expires_at_ms=NOW_MS + 60_000, message=ref
    )


def receipt(delivered_seq: int, read_seq: int, *, chat: str = CHATS[0], user: str = BOB) -> Event:
    data = {"conversation_id": chat, "user_id": user, "delivered_seq": delivered_seq, "read_seq": read_seq}
    return "receipt", data


def posted(events: list[Event]) -> list[Event]:
    """Return what reaches a connection, messages one by one."""
    connection = ConnectionRef(
        connection_id=ConnectionId("c="), device_id=DeviceId("phone"), connected_at_ms=NOW_MS - 60_000
    )
    record = DownstreamRecord(
        user_id=UserId(1), connections=(connection,), items=tuple(item(event) for event in events)
    )
    found: list[Event] = []
    for lane in plan_lanes([(0, record)], now_ms=NOW_MS):
        for frame in map(json.loads, (frame.body for frame in lane.frames())):
            told = frame["data"]
            found += [(frame["event"], one) for one in told.get("messages", [told])]
    return found


def test_of_marks_that_grow_only_the_furthest_is_posted() -> None:
    events = [receipt(seq, seq - 1) for seq in range(1, 100)]

    assert posted(events) == [receipt(99, 98)]


def test_marks_that_came_out_of_order_lose_nothing() -> None:
    events = [receipt(9, 2), receipt(5, 5), receipt(4, 1), receipt(6, 4)]

    assert posted(events) == [receipt(9, 2), receipt(5, 5), receipt(6, 4)]


@pytest.mark.parametrize("other", [receipt(9, 9, chat=CHATS[1]), receipt(9, 9, user=ALICE)])
def test_another_conversation_or_reader_makes_nothing_needless(other: Event) -> None:
    assert posted([receipt(1, 1), other]) == [receipt(1, 1), other]


def test_messages_share_a_frame_across_a_needless_event() -> None:
    typing = ("typing", {"conversation_id": CHATS[0], "user_id": BOB})
    first, second = (("message.new", {"seq": seq}) for seq in (1, 2))

    assert posted([typing, first, receipt(1, 0), second, receipt(2, 0), typing]) == [
        first,
        second,
        receipt(2, 0),
        typing,
    ]


def test_what_cannot_be_read_is_posted_as_it_is() -> None:
    strange = ("receipt", {"conversation_id": 7, "user_id": BOB})

    assert posted([strange, strange, receipt(1, 1)]) == [strange, strange, receipt(1, 1)]


def test_a_reaction_or_an_edit_is_never_needless() -> None:
    reaction = ("reaction", {"conversation_id": CHATS[0], "seq": 1, "user_id": BOB, "emoji": "👍", "change": 1})
    edit = ("message.edited", {"conversation_id": CHATS[0], "seq": 1, "change": 2})

    assert find_superseded([item(one) for one in (reaction, edit, reaction, edit)]) == set()


chats, users = st.sampled_from(CHATS), st.sampled_from((ALICE, BOB))
marks = st.integers(0, 5)
events = st.one_of(
    st.builds(lambda c, u, d, r: receipt(max(d, r), r, chat=c, user=u), chats, users, marks, marks),
    st.builds(lambda c, u: ("typing", {"conversation_id": c, "user_id": u}), chats, users),
    st.builds(lambda u, on: ("presence", {"user_id": u, "online": on, "last_seen": None}), users, st.booleans()),
    st.builds(lambda c, n: ("conversation.updated", {"conversation": {"conversation_id": c, "n": n}}), chats, marks),
    st.builds(lambda c, n: ("reaction", {"conversation_id": c, "n": n}), chats, marks),
    st.builds(lambda n: ("message.new", {"seq": n}), marks),
)


def known(told: list[Event]) -> dict[str, Any]:
    """Return what a client knows that was told this, in this order: marks only grow, of the rest the last one holds."""
    state: dict[str, Any] = {}
    for name, data in told:
        about = data.get("conversation", data)
        key = f"{name} {about.get('conversation_id')} {about.get('user_id')}"
        if name == "receipt":
            before = state.get(key, (0, 0))
            state[key] = (max(before[0], data["delivered_seq"]), max(before[1], data["read_seq"]))
        elif name in ("reaction", "message.new"):
            state.setdefault(name, []).append(data)
        else:
            state[key] = data
    return state


@given(st.lists(events, max_size=30))
def test_whoever_gets_the_rest_in_order_knows_all(told: list[Event]) -> None:
    got = posted(told)

    assert known(got) == known(told)
    rest = iter(told)
    assert all(one in rest for one in got), "in their order"
