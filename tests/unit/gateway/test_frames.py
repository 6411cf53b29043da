"""What is a frame, what is none, and what the sender is told."""

import json
from typing import Any, get_args

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.websocket.actions import ACTIONS
from gateway.websocket.actions.hello import plan_hello
from gateway.websocket.actions.send_message import plan_send_message
from gateway.websocket.caller import Caller, read_caller
from gateway.websocket.frames import UnreadableFrameError, read_frame, write_ack, write_error
from gateway.websocket.limits import Limits
from gochat_contracts.commands import Command
from gochat_core.errors import InvalidRequest, RateLimited, Refusal, Unavailable, UserNotFound
from gochat_core.ids import single_conversation_id
from gochat_core.types import CellId, UserId

ALICE, BOB = UserId(7_340_032_000), UserId(7_340_032_001)
NOW_MS = 1_795_413_600_123
CALLER = read_caller(
    {
        "connectionId": "aLiCe=",
        "connectedAt": NOW_MS - 1000,
        "authorizer": {"user_id": str(ALICE), "device_id": "phone", "session_id": "5", "expires_at_ms": "9"},
    },
    CellId("g1"),
)


def refused(text: str) -> UnreadableFrameError:
    with pytest.raises(UnreadableFrameError) as raised:
        read_frame(text)
    return raised.value


def send(**data: Any) -> Any:
    given_ = {"client_msg_id": "m-1", "type": "text", "content": {"text": "hi"}, "to": str(BOB), **data}
    return plan_send_message(
        msgspec.Raw(msgspec.json.encode({name: value for name, value in given_.items() if value is not None})),
        CALLER,
        limits=Limits(),
        now_ms=NOW_MS,
    )


def test_a_frame_has_an_action_an_id_and_data_that_may_be_absent() -> None:
    frame = read_frame('{ "id" : "1", "action" : "hello", "unknown": [1] }')

    assert (frame.action, frame.id, bytes(frame.data)) == ("hello", "1", b"{}")


@pytest.mark.parametrize("text", ["", "not json", "[]", "7", "null", '"x"', '{"action":"hello","id":"1"', "{" * 5000])
def test_what_is_no_object_is_refused_without_an_id(text: str) -> None:
    assert refused(text).frame_id is None


@pytest.mark.parametrize(
    ("text", "fields", "frame_id"),
    [
        ("{}", {"action", "id"}, None),
        ('{"action":"hello"}', {"id"}, None),
        ('{"action":"hello","id":7}', {"id"}, None),
        ('{"action":"hello","id":""}', {"id"}, None),
        ('{"action":"hello","id":"a b"}', {"id"}, None),
        ('{"action":"hello","id":"%s"}' % ("x" * 65), {"id"}, None),
        ('{"id":"1"}', {"action"}, "1"),
        ('{"id":"1","action":7}', {"action"}, "1"),
        ('{"id":"1","action":"hello","data":[]}', {"data"}, "1"),
        ('{"id":"1","action":"hello","data": null}', {"data"}, "1"),
        ('{"id":"1","action":null,"data":"x"}', {"action", "data"}, "1"),
    ],
)
def test_every_fault_of_a_frame_is_told_with_its_id_where_that_is_readable(
    text: str, fields: set[str], frame_id: str | None
) -> None:
    refusal = refused(text)

    assert {fault.field for fault in refusal.faults} == fields
    assert refusal.frame_id == frame_id


@pytest.mark.parametrize(
    "text", [r'{"a":"\ud83d","id":"7"}', r'{"id":"7","data":{"text":["\udc00"]}}', '{"id":"7","a":NaN}']
)
def test_a_frame_with_half_a_character_is_refused_by_its_id(text: str) -> None:
    refusal = refused(text)

    assert refusal.frame_id == "7"
    assert "half a character" in json.loads(write_error("7", refusal))["error"]["message"]


@pytest.mark.parametrize("text", [r'["\ud83d","id"]', r'{"a":"\ud83d","id":7}', r'{"a":"\ud83d","id":"\ud83d"}', "NaN"])
def test_an_id_that_is_none_is_not_told(text: str) -> None:
    assert refused(text).frame_id is None


@given(st.text() | st.recursive(st.none() | st.text(), lambda x: st.dictionaries(st.text(), x)).map(json.dumps))
def test_no_text_whatever_does_anything_but_be_read_or_refused(text: str) -> None:
    told = None
    try:
        read_frame(text)
    except UnreadableFrameError as refusal:
        told = json.loads(write_error(refusal.frame_id, refusal))["error"]["code"]
    assert told in (None, "invalid_request")


JSON_VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=10,
)
MEMBERS: dict[str, st.SearchStrategy[Any]] = {
    "conversation_id": st.sampled_from(["0" * 32, "x", ""]),
    "seq": st.sampled_from([1, 0, 2**63]),
    "emoji": st.sampled_from(["👍", "x"]),
    "content": st.sampled_from([{"text": "hi"}, {}]),
    "type": st.sampled_from(["text", "custom"]),
    "client_msg_id": st.sampled_from(["m", ""]),
    "to": st.sampled_from([str(BOB), "x"]),
    "user_ids": st.sampled_from([[], [str(BOB)], ["x"]]),
    "mentions": st.sampled_from([[], ["all"]]),
}


@given(
    action=st.sampled_from(sorted(ACTIONS)),
    data=st.fixed_dictionaries({}, optional={name: likely | JSON_VALUES for name, likely in MEMBERS.items()}),
)
def test_no_data_whatever_does_anything_but_be_planned_or_refused(action: str, data: dict[str, Any]) -> None:
    try:
        raw = msgspec.Raw(msgspec.json.encode(data))
    except UnicodeEncodeError:
        return
    try:
        plan = ACTIONS[action](raw, CALLER, limits=Limits(), now_ms=NOW_MS)
    except Refusal as refusal:
        told = json.loads(write_error("1", refusal))["error"]
    else:
        told = {"retryable": False}
        if plan.command is not None:
            assert plan.command.conversation_id == data.get("conversation_id", single_conversation_id(ALICE, BOB))
    assert told["retryable"] is False


def test_an_error_tells_code_faults_and_when_to_come_again() -> None:
    assert json.loads(write_error("1", RateLimited(retry_after_ms=40))) == {
        "event": "error",
        "id": "1",
        "error": {"code": "rate_limited", "message": "Too many requests", "retryable": True, "retry_after_ms": 40},
    }
    faults = refused('{"action":7}')
    assert json.loads(write_error(None, faults)) == {
        "event": "error",
        "id": None,
        "error": {
            "code": "invalid_request",
            "message": "; ".join(f"{fault.field}: {fault.message}" for fault in faults.faults),
            "retryable": False,
        },
    }
    assert "retry_after_ms" not in json.loads(write_error("1", Unavailable()))["error"]


def test_an_ack_is_unescaped_utf_8() -> None:
    assert write_ack("1", {"name": "Grüße 👋"}) == '{"event":"ack","id":"1","data":{"name":"Grüße 👋"}}'


def test_identity_comes_from_the_authorizer_alone() -> None:
    plan = send(sender_id=str(BOB), user_id=str(BOB), connection_id="other=")

    assert CALLER.sender().user_id == ALICE
    assert plan.command.conversation_id == single_conversation_id(ALICE, BOB)


def test_a_message_is_acknowledged_by_its_own_id_and_counted_to_its_conversation() -> None:
    plan = send()

    assert msgspec.to_builtins(plan.ack) == {"client_msg_id": "m-1", "status": "accepted"}
    assert plan.conversation_id == single_conversation_id(ALICE, BOB)
    assert send(to=None, conversation_id="0" * 32).command.conversation_id == "0" * 32


@pytest.mark.parametrize(
    ("data", "field"),
    [
        ({"to": str(ALICE)}, "to"),
        ({"to": None}, "conversation_id"),
        ({"conversation_id": "0" * 32}, "conversation_id"),
        ({"client_msg_id": "a b"}, "client_msg_id"),
        ({"client_msg_id": None}, "client_msg_id"),
        ({"type": "system"}, "type"),
        ({"content": {"text": ""}}, "content.text"),
        ({"content": {"text": "x" * 8001}}, "content.text"),
        ({"content": None}, "content"),
        ({"mentions": [str(BOB)] * 51}, "mentions"),
        ({"reply_to_seq": 0}, "reply_to_seq"),
        ({"type": "location", "content": {"latitude": 91, "longitude": 0}}, "content.latitude"),
        ({"type": "image", "content": {"url": "javascript:x", "mime": "image/png", "size": 1}}, "content.url"),
    ],
)
def test_a_message_that_breaks_a_rule_is_refused_with_the_field(data: dict[str, Any], field: str) -> None:
    with pytest.raises(InvalidRequest) as raised:
        send(**data)
    assert field in {fault.field for fault in raised.value.faults}


def test_a_recipient_that_can_be_nobody_is_not_found() -> None:
    with pytest.raises(UserNotFound):
        send(to="nobody")


def test_hello_tells_who_one_is_until_when_and_the_limits() -> None:
    limits = Limits(frames_per_s=5.0, frames_burst=7)

    answer = msgspec.to_builtins(plan_hello(msgspec.Raw(b"{}"), CALLER, limits=limits, now_ms=NOW_MS).ack)

    assert answer["connection_id"] == "aLiCe="
    assert (answer["user_id"], answer["device_id"]) == (str(ALICE), "phone")
    assert answer["server_time"] < answer["reconnect_before"]
    assert 0 < answer["ping_interval_s"] < 600
    assert (answer["limits"]["frames_per_s"], answer["limits"]["frames_burst"]) == (5.0, 7)


def test_every_action_is_found_by_its_name_in_the_contract() -> None:
    of_commands = {str(command.__struct_config__.tag) for command in get_args(Command)}
    assert of_commands | {"hello"} <= set(ACTIONS)
    assert isinstance(CALLER, Caller)
