"""What operators have on a deployed stage: dead letters by `./dev dead-letters`, and the loss audit."""

import json
import time
import uuid
from typing import Any
from urllib.parse import urlsplit

import msgspec
import pytest

from dev_cli import __main__ as dev
from gochat_aws.kafka_event import IncomingRecord, dead_letter
from gochat_aws.kafka_login import KafkaSettings
from gochat_aws.kafka_producer import KafkaRecordProducer
from gochat_contracts.commands import SendMessage
from gochat_contracts.records import UPSTREAM_TOPIC, Sender, UpstreamRecord, encode
from gochat_core.ids import single_conversation_id
from gochat_core.types import ClientMsgId, DeviceId, SessionId, UserId
from tests.fixtures.stage import Stage
from tests.flows.stock_client import Person, eventually

pytestmark = pytest.mark.timeout(300)


def a_message(sender: Person, peer: Person, client_msg_id: str, text: str) -> UpstreamRecord:
    sender_id, peer_id = UserId(int(sender.user_id)), UserId(int(peer.user_id))
    return UpstreamRecord(
        frame_id="1",
        sender=Sender(user_id=sender_id, device_id=DeviceId(sender.device_id), session_id=SessionId(1)),
        accepted_at_ms=int(time.time() * 1000),
        command=SendMessage(
            conversation_id=single_conversation_id(sender_id, peer_id),
            client_msg_id=ClientMsgId(client_msg_id),
            type="text",
            content=msgspec.Raw(msgspec.json.encode({"text": text})),
            to=peer_id,
        ),
    )


def give_up(stage: Stage, record: UpstreamRecord) -> None:
    """Leave in the topic what an older release would have left there."""
    incoming = IncomingRecord(
        topic=UPSTREAM_TOPIC,
        partition=0,
        offset=0,
        timestamp_ms=0,
        key=record.command.conversation_id.encode(),
        value=encode(record),
        headers={},
    )
    now_ms = int(time.time() * 1000)
    producer = KafkaRecordProducer(KafkaSettings(kafka_bootstrap=_address(stage)), client_id="flow")
    producer.produce([dead_letter(incoming, reason="unreadable", detail="of a later version", now_ms=now_ms)])
    producer.discard()


def _address(stage: Stage) -> str:
    url = urlsplit(stage.services["kafka"])
    return url.netloc or stage.services["kafka"]


def test_a_message_that_nobody_could_read_is_listed_and_brought_back_once(
    stage: Stage, alice: Person, bob: Person, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("GOCHAT_HOME", str(stage.home))

    def desk(*words: str) -> Any:
        assert dev.main(["dead-letters", *words, "--json"]) == 0
        return json.loads(capsys.readouterr().out)

    words, client_msg_id = f"nobody-reads-this-{uuid.uuid4().hex}", uuid.uuid4().hex
    record = a_message(alice, bob, client_msg_id, words)
    chat = record.command.conversation_id
    give_up(stage, record)
    (letter,) = [one for one in desk("list", "--since", "1h")["letters"] if one["key"] == chat]
    assert (letter["function"], letter["reason"], letter["why_not"]) == ("logic-upstream", "unreadable", None)
    assert desk("show", letter["place"])[0]["detail"] == "of a later version"
    with bob.connect() as socket:
        for options, outcome in (((), "ready"), (("--yes",), "redriven"), (("--yes",), "already")):
            (verdict,) = desk("redrive", letter["place"], *options)
            assert verdict["outcome"] == outcome
        assert socket.wait_messages(1, chat)[0]["content"] == {"text": words}
    (again,) = desk("redrive", letter["place"], "--yes", "--again")
    assert again["outcome"] == "redriven"
    with alice.connect() as socket:
        # In the same partition, behind what was brought back twice.
        socket.say("last", to=bob.user_id)
        socket.wait_event("message.stored")
    assert [one["seq"] for one in bob.history(chat)] == [1, 2]
    assert not [line for line in stage.log_lines("task-redrive") if words in line]
    assert dev.main(["dead-letters", "show", letter["place"]]) == 0
    assert words in capsys.readouterr().out


def test_the_stage_audits_itself_and_finds_everything_whole(stage: Stage, alice: Person, bob: Person) -> None:
    with alice.connect() as socket:
        for number in range(3):
            socket.say(f"message {number}", to=bob.user_id)
        socket.wait_event("message.stored")

    def is_whole() -> bool:
        invoked = stage.aws("lambda").invoke(FunctionName="gochat-local-repo-audit", Payload=b"{}")
        answer = json.loads(invoked["Payload"].read())
        return bool(answer["failed"] == [] and answer["conversations"]["AuditFindings"] == 0)

    eventually(is_whole, "the audit came to its end and found nothing")
    assert not [line for line in stage.log_lines("repo-audit") if "unannounced" not in line and "finding" in line]
