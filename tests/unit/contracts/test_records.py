import msgspec
import pytest

from gochat_contracts.commands import SendMessage
from gochat_contracts.records import (
    DownstreamRecord,
    OfflineTask,
    Sender,
    TaskRecord,
    UnreadableRecordError,
    UpstreamRecord,
    decode,
    encode,
)
from gochat_core.types import ClientMsgId, ConversationId, DeviceId, Seq, SessionId, UserId

ALICE = UserId(11)
CONVERSATION = ConversationId("c" * 32)


def accepted_frame() -> UpstreamRecord:
    command = SendMessage(
        conversation_id=CONVERSATION,
        client_msg_id=ClientMsgId("m-1"),
        type="text",
        content=msgspec.Raw('{"text": "grüß dich 👋"}'.encode()),
    )
    sender = Sender(user_id=ALICE, device_id=DeviceId("phone"), session_id=SessionId(5))
    return UpstreamRecord(frame_id="f-1", sender=sender, accepted_at_ms=1, command=command)


def test_a_record_survives_the_broker_with_the_clients_content_byte_for_byte() -> None:
    read = decode(UpstreamRecord, encode(accepted_frame()))
    assert isinstance(read.command, SendMessage)
    assert bytes(read.command.content) == '{"text": "grüß dich 👋"}'.encode()
    assert read.sender == accepted_frame().sender


def test_a_field_that_a_newer_producer_added_is_ignored() -> None:
    newer = msgspec.json.decode(encode(accepted_frame()))
    newer["invented_tomorrow"] = {"deep": [1]}
    newer["command"]["priority"] = "high"
    assert decode(UpstreamRecord, msgspec.json.encode(newer)).frame_id == "f-1"


@pytest.mark.parametrize(
    "value",
    [b"", b"{", b"null", b"[]", b"{}", b"\xff\xfe", b'{"v":1,"frame_id":7}'],
    ids=["empty", "cut", "null", "list", "fieldless", "no-utf8", "ill-typed"],
)
def test_what_is_no_record_says_so(value: bytes) -> None:
    with pytest.raises(UnreadableRecordError):
        decode(UpstreamRecord, value)


def test_a_record_of_an_unknown_version_is_not_guessed_at() -> None:
    newer = msgspec.json.decode(encode(accepted_frame())) | {"v": 2}
    with pytest.raises(UnreadableRecordError, match="version 2"):
        decode(UpstreamRecord, msgspec.json.encode(newer))


def test_an_action_that_this_version_does_not_know_is_not_guessed_at() -> None:
    newer = msgspec.json.decode(encode(accepted_frame()))
    newer["command"]["action"] = "message.translate"
    with pytest.raises(UnreadableRecordError):
        decode(UpstreamRecord, msgspec.json.encode(newer))


def test_the_kind_of_a_task_stands_in_the_record() -> None:
    task = OfflineTask(conversation_id=CONVERSATION, seqs=(Seq(1),), user_ids=(ALICE,))
    written = encode(TaskRecord(task_id="t", created_at_ms=1, task=task))
    assert msgspec.json.decode(written)["task"]["kind"] == "offline"
    assert decode(TaskRecord, written).task == task


def test_an_empty_downstream_record_is_small() -> None:
    assert (
        encode(DownstreamRecord(user_id=ALICE, connections=(), items=()))
        == b'{"user_id":11,"connections":[],"items":[]}'
    )
