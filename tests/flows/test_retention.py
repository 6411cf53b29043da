"""Message retention through the deployed local stage: content goes, numbers and everybody's counts hold."""

import json
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from tests.fixtures.stage import Stage
from tests.flows.stock_client import Person, eventually, text_message

pytestmark = pytest.mark.timeout(300)

SWEEP = "gochat-local-task-sweep"
A_SECOND_IN_DAYS = "0.00001"


@contextmanager
def retention(stage: Stage, days: str) -> Iterator[None]:
    """Have the stage keep messages only so long, for a block."""
    functions = stage.aws("lambda")
    variables = functions.get_function_configuration(FunctionName=SWEEP)["Environment"]["Variables"]
    setting = {"Variables": {**variables, "GOCHAT_MESSAGE_RETENTION_DAYS": days}}
    functions.update_function_configuration(FunctionName=SWEEP, Environment=setting)
    try:
        yield
    finally:
        functions.update_function_configuration(FunctionName=SWEEP, Environment={"Variables": variables})


def sweep(stage: Stage) -> None:
    """Sweep now instead of when the minute is over."""
    outcome = json.loads(stage.aws("lambda").invoke(FunctionName=SWEEP)["Payload"].read())
    assert outcome["failed"] == []
    assert "MessagesExpired" in outcome["message_retention"]


def test_what_is_past_retention_is_gone_for_everybody_and_can_not_be_touched(
    stage: Stage, alice: Person, bob: Person
) -> None:
    with alice.connect() as at_alice, bob.connect() as at_bob:
        sent = text_message("the first", to=bob.user_id)
        chat = str(at_alice.post(sent)["conversation_id"])
        at_alice.say("the second", conversation_id=chat)
        assert bob.conversation(chat)["unread_count"] == 2
        with retention(stage, A_SECOND_IN_DAYS):

            def is_forgotten() -> bool:
                sweep(stage)
                return bob.history(chat) == []

            eventually(is_forgotten, "the messages are past retention", within_s=30)
        for person in (alice, bob):
            seen = person.conversation(chat)
            assert (seen["last_seq"], seen["unread_count"], seen["last_message"]) == (2, 0, None)
            (synced,) = person.rest.post("/sync", json={}).json()["conversations"]
            assert (synced["messages"], synced["changed"]) == ([], [])
        for action, data in (
            ("message.edit", {"content": {"text": "changed"}}),
            ("message.recall", {}),
            ("reaction.add", {"emoji": "👍"}),
        ):
            assert at_alice.rejection(action, conversation_id=chat, seq=2, **data) == "message_not_found"
        again = at_alice.call("message.send", sent)
        assert again["event"] == "ack"
        eventually(
            lambda: len([one for one in at_alice.events("message.stored") if one["seq"] == 1]) == 2,
            "a message that expired is still known",
        )
        assert at_alice.say("the third", conversation_id=chat)["seq"] == 3
        (message,) = bob.history(chat)
        assert (message["seq"], message["content"]) == (3, {"text": "the third"})
        assert bob.conversation(chat)["unread_count"] == 1
        assert len(at_bob.wait_messages(3, chat)) == 3
