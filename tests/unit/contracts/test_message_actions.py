"""The data of every action beside sending: what is taken, and what is told of that which isn't."""

import contextlib
import json
from collections.abc import Callable
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from gochat_contracts.commands import Command, EditMessage
from gochat_contracts.content_types import MAX_TEXT_BYTES
from gochat_contracts.message_actions import (
    parse_add_reaction,
    parse_edit_message,
    parse_mark_delivered,
    parse_mark_read,
    parse_recall_message,
    parse_remove_reaction,
    parse_typing,
)
from gochat_core.errors import ConversationNotFound, InvalidRequest

CHAT = "0f8fad5bd9cb469fa16570867728950e"
HUGE = 2**63 - 1

Parse = Callable[..., Command]

OF_A_MESSAGE: list[Parse] = [
    parse_mark_delivered,
    parse_mark_read,
    parse_recall_message,
    parse_edit_message,
    parse_add_reaction,
    parse_remove_reaction,
]


def data(**other: Any) -> dict[str, Any]:
    """Return data that any of the actions takes."""
    given_ = {"conversation_id": CHAT, "seq": 7, "content": {"text": "hi"}, "emoji": "👍", **other}
    return {name: value for name, value in given_.items() if value is not ...}


def read(parse: Parse, given_: object, **options: Any) -> Command:
    return parse(given_ if isinstance(given_, bytes) else json.dumps(given_, ensure_ascii=False), **options)


def faults_of(parse: Parse, given_: object) -> list[str]:
    with pytest.raises(InvalidRequest) as raised:
        read(parse, given_)
    return [fault.field for fault in raised.value.faults]


def test_each_action_becomes_its_command() -> None:
    place = {"conversation_id": CHAT, "seq": HUGE}
    given_ = data(seq=HUGE)
    assert [msgspec.to_builtins(read(parse, given_)) for parse in (parse_mark_delivered, parse_mark_read)] == [
        {"action": "message.delivered", **place},
        {"action": "message.read", **place},
    ]
    assert msgspec.to_builtins(read(parse_recall_message, given_)) == {"action": "message.recall", **place}
    assert [msgspec.to_builtins(read(parse, given_)) for parse in (parse_add_reaction, parse_remove_reaction)] == [
        {"action": "reaction.add", **place, "emoji": "👍"},
        {"action": "reaction.remove", **place, "emoji": "👍"},
    ]
    assert msgspec.to_builtins(read(parse_typing, given_)) == {"action": "typing", "conversation_id": CHAT}


def test_an_edit_has_the_bytes_that_a_message_of_the_same_text_has() -> None:
    command = parse_edit_message(
        rb'{"conversation_id":"%s","seq":7,"content":{ "x":1, "text":"\u00e9\ud83d\ude00" }}' % CHAT.encode()
    )
    assert isinstance(command, EditMessage)
    assert bytes(command.content) == '{"text":"é😀"}'.encode()


@pytest.mark.parametrize("parse", OF_A_MESSAGE)
def test_the_path_of_a_rest_call_decides_over_its_body(parse: Parse) -> None:
    assert read(parse, data(conversation_id=3), conversation_id=CHAT).conversation_id == CHAT
    with pytest.raises(ConversationNotFound):
        read(parse, data(), conversation_id="nothing")


@pytest.mark.parametrize("parse", OF_A_MESSAGE)
@pytest.mark.parametrize("seq", [0, -1, 2**63, 2**64, 10**40, 1.0, 1.5, 1e300, "1", "", True, None, [], {}, ...])
def test_a_seq_that_no_message_can_have_is_refused(parse: Parse, seq: object) -> None:
    assert faults_of(parse, data(seq=seq)) == ["seq"]


@pytest.mark.parametrize("parse", [*OF_A_MESSAGE, parse_typing])
@pytest.mark.parametrize("conversation_id", ["", "x", CHAT.upper(), CHAT + "0", f" {CHAT}", f"{CHAT}\n", "0" * 31])
def test_an_id_that_no_conversation_can_have_is_not_found(parse: Parse, conversation_id: str) -> None:
    with pytest.raises(ConversationNotFound):
        read(parse, data(conversation_id=conversation_id))


@pytest.mark.parametrize("parse", [*OF_A_MESSAGE, parse_typing])
@pytest.mark.parametrize("conversation_id", [None, 7, [CHAT], {}, ...])
def test_an_id_that_is_missing_or_no_text_is_refused(parse: Parse, conversation_id: object) -> None:
    assert faults_of(parse, data(conversation_id=conversation_id)) == ["conversation_id"]


@pytest.mark.parametrize("parse", [parse_add_reaction, parse_remove_reaction])
@pytest.mark.parametrize("emoji", ["", "a", ":)", "👍 ", "👍" * 17, 7, None, ["👍"], ...])
def test_what_is_no_emoji_is_refused(parse: Parse, emoji: object) -> None:
    assert faults_of(parse, data(emoji=emoji)) == ["emoji"]


@pytest.mark.parametrize(
    ("content", "field"),
    [
        (..., "content"),
        (None, "content"),
        ("hi", "content"),
        ([], "content"),
        ({}, "content.text"),
        ({"text": ""}, "content.text"),
        ({"text": 5}, "content.text"),
        ({"text": None}, "content.text"),
        ({"text": "x" * 8001}, "content.text"),
        ({"text": "😀" * 7000}, "content.text"),
        ({"text": "\u0000" * 5000}, "content"),
        ({"url": "https://example.org/a.png", "mime": "image/png", "size": 1}, "content.text"),
    ],
)
def test_only_a_text_that_could_be_sent_can_replace_one(content: object, field: str) -> None:
    assert faults_of(parse_edit_message, data(content=content)) == [field]


@pytest.mark.parametrize("text", ["x" * 8000, "é" * 8000, "😀" * (MAX_TEXT_BYTES // 4), "\u0000\u0007\u001b\u007f"])
def test_a_text_at_the_limits_of_sending_can_replace_one(text: str) -> None:
    command = read(parse_edit_message, data(content={"text": text}))
    assert isinstance(command, EditMessage)
    assert msgspec.json.decode(command.content) == {"text": text}


@pytest.mark.parametrize("parse", [parse_edit_message, parse_add_reaction])
def test_every_fault_is_told_at_once(parse: Parse) -> None:
    also = "content.text" if parse is parse_edit_message else "emoji"
    assert faults_of(parse, {"seq": 0, "content": {"text": ""}, "emoji": "x"}) == ["conversation_id", "seq", also]


@pytest.mark.parametrize("parse", [*OF_A_MESSAGE, parse_typing])
@pytest.mark.parametrize("text", [b"", b"[]", b"7", b"null", b'"x"', b"{", b"{" * 5000, b"\xff"])
def test_what_is_no_object_is_refused(parse: Parse, text: bytes) -> None:
    with pytest.raises(InvalidRequest):
        parse(text)


@pytest.mark.parametrize("text", [rb'{"text":"\ud800"}', rb'{"text":"a\udc00b"}', b'{"text":"\x00"}'])
def test_half_a_character_and_raw_control_characters_are_no_text(text: bytes) -> None:
    with pytest.raises(InvalidRequest):
        parse_edit_message(b'{"conversation_id":"%s","seq":7,"content":%s}' % (CHAT.encode(), text))


@given(st.binary(max_size=200), st.sampled_from([*OF_A_MESSAGE, parse_typing]))
def test_no_bytes_make_it_fail_in_any_other_way(text: bytes, parse: Parse) -> None:
    with contextlib.suppress(InvalidRequest, ConversationNotFound):
        parse(text)
