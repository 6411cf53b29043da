"""Phones that are away: from a message to the line of the log provider, on the deployed stage."""

import json
from typing import Any

import pytest

from tests.fixtures.stage import Stage
from tests.flows.stock_client import Person, eventually, text_message

pytestmark = pytest.mark.timeout(300)


def register_token(person: Person) -> None:
    body = {"provider": "fcm", "token": f"a-token-of-some-thirty-two-letters-{person.user_id}"}
    answer = person.rest.put(f"/devices/{person.device_id}/push-token", json=body)
    assert answer.status_code == 204, answer.text


def pushes_to(stage: Stage, person: Person) -> list[Any]:
    """Return the lines of the log provider about somebody, in order."""
    lines = [json.loads(line) for line in stage.log_lines("task-push") if line.startswith("{")]
    return [line for line in lines if line.get("message") == "push" and line["user_id"] == person.user_id]


def send(sender: Person, text: str, **target: Any) -> Any:
    with sender.connect() as socket:
        socket.call("message.send", text_message(text, **target))
        return socket.wait_event("message.stored")["data"]


def test_who_is_away_gets_one_push_with_badge_collapse_id_and_text(stage: Stage, alice: Person, bob: Person) -> None:
    register_token(bob)
    stored = send(alice, "are you there?", to=bob.user_id)
    eventually(lambda: len(pushes_to(stage, bob)) > 0, "the push is sent")
    (push,) = pushes_to(stage, bob)
    assert (push["badge"], push["collapse_id"], push["title"], push["body"], push["kind"]) == (
        1,
        stored["conversation_id"],
        bob.rest.get(f"/users/{alice.user_id}").json()["user"]["display_name"],
        "are you there?",
        "alert",
    )


def test_a_muted_chat_pushes_a_mention_alone_and_what_was_read_elsewhere_is_not_pushed(
    stage: Stage, alice: Person, bob: Person, carol: Person
) -> None:
    register_token(bob)
    chat = send(alice, "first", to=bob.user_id)["conversation_id"]
    eventually(lambda: len(pushes_to(stage, bob)) == 1, "the first is pushed")
    assert bob.rest.patch(f"/conversations/{chat}", json={"muted": True}).status_code == 200
    send(alice, "muted", to=bob.user_id)
    send(alice, "but you are meant", to=bob.user_id, mentions=[bob.user_id])
    # What was decided later for the same user comes behind it in the topic: so the muted one is not still on its way.
    eventually(lambda: len(pushes_to(stage, bob)) == 2, "the mention is pushed")
    assert [push["seq"] for push in pushes_to(stage, bob)] == [1, 3]
    assert pushes_to(stage, bob)[1]["badge"] == 0, "a muted conversation does not count"

    with bob.connect() as at_bob:
        seen = send(carol, "read at once", to=bob.user_id)
        at_bob.wait_messages(1, seen["conversation_id"])
        at_bob.call("message.read", {"conversation_id": seen["conversation_id"], "seq": seen["seq"]})
    later = send(carol, "and later", to=bob.user_id)
    eventually(lambda: len(pushes_to(stage, bob)) == 3, "what came when nobody was there is pushed")
    last = pushes_to(stage, bob)[-1]
    assert (last["seq"], last["badge"]) == (later["seq"], 1)
