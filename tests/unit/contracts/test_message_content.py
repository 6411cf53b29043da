import contextlib
import json
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from gochat_contracts.commands import SendMessage
from gochat_contracts.content_types import MAX_CUSTOM_BYTES, MAX_DEPTH
from gochat_contracts.message_content import MAX_SENT_OUT_BYTES, make_send_message, parse_send_message
from gochat_contracts.views import MessageView
from gochat_core.errors import ConversationNotFound, InvalidRequest, UserNotFound
from gochat_core.ids import single_conversation_id
from gochat_core.types import UserId

ALICE = UserId(7_000_000_000_000_000_001)
BOB = UserId(7_000_000_000_000_000_002)
CHAT = single_conversation_id(ALICE, BOB)
IMAGE = {"url": "https://example.org/a.png", "mime": "image/png", "size": 12}


def send(**other: Any) -> dict[str, Any]:
    data = {"to": str(BOB), "client_msg_id": "m-1", "type": "text", "content": {"text": "hi"}, **other}
    return {name: value for name, value in data.items() if value is not ...}


def parse(data: Any, **options: Any) -> SendMessage:
    text = data if isinstance(data, bytes | str) else json.dumps(data, ensure_ascii=False)
    return parse_send_message(text, sender_id=ALICE, **options)


def faults_of(data: Any) -> list[str]:
    with pytest.raises(InvalidRequest) as raised:
        parse(data)
    return [fault.field for fault in raised.value.faults]


def test_a_message_to_somebody_goes_to_the_single_chat_of_the_two() -> None:
    command = parse(send())
    assert (command.conversation_id, command.to, command.type) == (CHAT, BOB, "text")
    assert bytes(command.content) == b'{"text":"hi"}'


def test_a_message_to_a_conversation_names_nobody() -> None:
    command = parse(send(to=..., conversation_id=CHAT, reply_to_seq=4, mentions=[str(BOB), str(BOB)]))
    assert (command.to, command.reply_to_seq, command.mentions, command.mention_all) == (None, 4, (BOB,), False)


def test_the_path_of_a_rest_send_decides_over_its_body() -> None:
    assert parse(send(to="nobody", conversation_id=3), conversation_id=CHAT).conversation_id == CHAT


def test_all_may_be_mentioned_alone() -> None:
    command = parse(send(mentions=["all"]))
    assert command.mention_all
    assert command.mentions == ()


def test_text_leaves_as_utf_8_and_never_as_escapes() -> None:
    command = parse(r'{"to":"5","client_msg_id":"a","type":"text","content":{"text":"\u00e9\ud83d\ude00","x":1}}')
    assert bytes(command.content) == '{"text":"é😀"}'.encode()


def test_the_same_content_always_has_the_same_bytes() -> None:
    spaced = json.dumps(IMAGE, indent=3)
    commands = [
        make_send_message(
            sender_id=ALICE, conversation_id=CHAT, client_msg_id="a", type_="image", content=content.encode()
        )
        for content in (spaced, json.dumps(IMAGE))
    ]
    assert bytes(commands[0].content) == bytes(commands[1].content)


def test_what_a_client_adds_to_media_and_places_is_kept() -> None:
    assert json.loads(bytes(parse(send(type="image", content={**IMAGE, "width": 3})).content))["width"] == 3
    place = {"latitude": 1, "longitude": -180, "name": "Null Island"}
    assert json.loads(bytes(parse(send(type="location", content=place)).content)) == place


@pytest.mark.parametrize("type_", ["image", "audio", "video", "file"])
def test_media_name_their_place_kind_and_size(type_: str) -> None:
    parse(send(type=type_, content=IMAGE))
    assert faults_of(send(type=type_, content={})) == ["content.url", "content.mime", "content.size"]


@pytest.mark.parametrize(
    ("data", "fields"),
    [
        ({}, ["client_msg_id", "type", "content", "conversation_id"]),
        (send(to=...), ["conversation_id"]),
        (send(conversation_id=CHAT), ["conversation_id"]),
        (send(to=str(ALICE)), ["to"]),
        (send(to=5), ["to"]),
        (send(client_msg_id=""), ["client_msg_id"]),
        (send(client_msg_id="x" * 65), ["client_msg_id"]),
        (send(client_msg_id="sp ace"), ["client_msg_id"]),
        (send(client_msg_id="new\n"), ["client_msg_id"]),
        (send(client_msg_id=7), ["client_msg_id"]),
        (send(type="system"), ["type"]),
        (send(type="x"), ["type"]),
        (send(type=None), ["type"]),
        (send(content=...), ["content"]),
        (send(content=None), ["content"]),
        (send(content="hi"), ["content"]),
        (send(content=["hi"]), ["content"]),
        (send(content={}), ["content.text"]),
        (send(content={"text": ""}), ["content.text"]),
        (send(content={"text": 5}), ["content.text"]),
        (send(content={"text": "x" * 8001}), ["content.text"]),
        (send(content={"text": "😀" * 7000}), ["content.text"]),
        (send(type="image", content={**IMAGE, "url": "javascript:alert(1)"}), ["content.url"]),
        (send(type="image", content={**IMAGE, "url": "https://a b"}), ["content.url"]),
        (send(type="image", content={**IMAGE, "url": "https://a\n"}), ["content.url"]),
        (send(type="image", content={**IMAGE, "mime": "png"}), ["content.mime"]),
        (send(type="image", content={**IMAGE, "size": -1}), ["content.size"]),
        (send(type="image", content={**IMAGE, "size": "1"}), ["content.size"]),
        (send(type="location", content={"latitude": 91, "longitude": -181}), ["content.latitude", "content.longitude"]),
        (
            send(type="location", content={"latitude": "1", "longitude": None}),
            ["content.latitude", "content.longitude"],
        ),
        (send(type="custom", content=[]), ["content"]),
        (send(type="custom", content={"a": "x" * MAX_CUSTOM_BYTES}), ["content"]),
        (send(type="file", content={**IMAGE, "note": "x" * MAX_SENT_OUT_BYTES}), ["content"]),
        (send(reply_to_seq=0), ["reply_to_seq"]),
        (send(reply_to_seq=1.5), ["reply_to_seq"]),
        (send(reply_to_seq="1"), ["reply_to_seq"]),
        (send(reply_to_seq=2**63), ["reply_to_seq"]),
        (send(mentions="all"), ["mentions"]),
        (send(mentions=[1]), ["mentions.0"]),
        (send(mentions=["1", "x"]), ["mentions.1"]),
        (send(mentions=["all", "1"]), ["mentions.0"]),
        (send(mentions=[str(n) for n in range(1, 52)]), ["mentions"]),
        (send(type="nope", client_msg_id="", reply_to_seq=3, mentions=["?"]), ["client_msg_id", "type", "mentions.0"]),
        (send(reply_to_seq="x", content={"text": ""}), ["reply_to_seq", "content.text"]),
    ],
)
def test_a_message_that_breaks_a_rule_is_refused_with_every_fault(data: object, fields: list[str]) -> None:
    assert faults_of(data) == fields


@pytest.mark.parametrize(
    "data",
    [send(content={"text": "x" * 8000}), send(content={"text": "é" * 8000}), send(content={"text": "😀" * 6144})],
)
def test_a_text_at_its_limits_passes(data: object) -> None:
    parse(data)


def test_an_id_that_nobody_can_have_is_one_that_is_not_found() -> None:
    for to in ("0", "x", "-5", "9" * 30, ""):
        with pytest.raises(UserNotFound):
            parse(send(to=to))
    for conversation_id in ("", "x", CHAT.upper() + "A", CHAT + "0"):
        with pytest.raises(ConversationNotFound):
            parse(send(to=..., conversation_id=conversation_id))


def nested(depth: int) -> bytes:
    content = b'{"a":' * depth + b"1" + b"}" * depth
    return b'{"to":"5","client_msg_id":"a","type":"custom","content":' + content + b"}"


def test_content_nests_only_so_deep_that_every_reader_can_follow() -> None:
    parse(nested(MAX_DEPTH))
    assert faults_of(nested(MAX_DEPTH + 1)) == ["content"]
    assert faults_of(nested(700)) == ["content"]
    with pytest.raises(InvalidRequest):
        parse(nested(20_000))


def test_many_brackets_side_by_side_are_not_deep() -> None:
    parse(send(type="custom", content={"a": [[] for _ in range(100)]}))


@pytest.mark.parametrize("value", [rb'"\ud800"', b"1e999", b"9" * 400])
def test_content_that_json_cannot_carry_on_is_refused_or_kept_whole(value: bytes) -> None:
    data = b'{"to":"5","client_msg_id":"a","type":"custom","content":{"a":' + value + b"}}"
    try:
        command = parse(data)
    except InvalidRequest:
        return
    assert json.loads(bytes(command.content)) == {"a": json.loads(value)}


@given(
    st.dictionaries(st.text(max_size=5), st.recursive(st.none() | st.booleans() | st.integers() | st.text(), st.lists))
)
def test_custom_content_comes_out_as_it_went_in(content: dict[str, Any]) -> None:
    try:
        command = parse(send(type="custom", content=content))
    except InvalidRequest:
        return
    assert json.loads(bytes(command.content)) == content


@given(st.binary(max_size=300))
def test_no_bytes_make_it_fail_in_any_other_way(data: bytes) -> None:
    with contextlib.suppress(InvalidRequest, UserNotFound, ConversationNotFound):
        parse(data)


@given(
    st.text(min_size=1, max_size=8000),
    st.lists(st.integers(min_value=10**18, max_value=2**63 - 1).map(str), max_size=50, unique=True),
)
def test_every_accepted_message_fits_into_a_frame(text: str, mentions: list[str]) -> None:
    try:
        command = parse(send(content={"text": text}, mentions=mentions, client_msg_id="c" * 64, reply_to_seq=2**63 - 1))
    except (InvalidRequest, UnicodeEncodeError):
        return
    view = MessageView(
        message_id=str(2**63 - 1),
        conversation_id=command.conversation_id,
        seq=2**63 - 1,
        sender_id=str(2**63 - 1),
        client_msg_id=command.client_msg_id,
        type=command.type,
        content=command.content,
        reply_to_seq=command.reply_to_seq,
        mentions=[str(one) for one in command.mentions],
        created_at="2026-11-23T07:00:00.123Z",
        edited_at=None,
        recalled=False,
        reactions=[],
        change=0,
    )
    frame = {"event": "message.new", "data": {"messages": [view]}}
    assert len(msgspec.json.encode(frame)) <= MAX_SENT_OUT_BYTES
