"""Phones that are away: from a message to the line of the log provider, on the deployed stage."""

import json
from typing import Any
from urllib.parse import urlsplit

import pymysql
import pytest

from tests.fixtures.stage import Stage
from tests.flows.stock_client import Person, eventually, text_message

pytestmark = pytest.mark.timeout(300)


def token_of(person: Person) -> str:
    return f"a-token-of-some-thirty-two-letters-{person.user_id}"


def register_token(person: Person) -> None:
    body = {"provider": "fcm", "token": token_of(person)}
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
    for function in ("gateway-http", "logic-rpc", "task-worker", "task-push", "repo-rpc"):
        lines = stage.log_lines(function)
        assert lines
        assert not any(token_of(bob) in line for line in lines), f"{function} logs tokens"


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

    with bob.with_device("tablet").connect() as at_bob:
        seen = send(carol, "read at once", to=bob.user_id)
        at_bob.wait_messages(1, seen["conversation_id"])
        at_bob.call("message.read", {"conversation_id": seen["conversation_id"], "seq": seen["seq"]})
    later = send(carol, "and later", to=bob.user_id)
    eventually(lambda: len(pushes_to(stage, bob)) == 3, "what came when nobody was there is pushed")
    last = pushes_to(stage, bob)[-1]
    assert (last["seq"], last["badge"]) == (later["seq"], 1)


def test_a_storm_sounds_once_and_its_last_push_tells_of_all(stage: Stage, alice: Person, bob: Person) -> None:
    register_token(bob)
    with alice.connect() as socket:
        for number in range(4):
            socket.call("message.send", text_message(f"number {number}", to=bob.user_id))
        last = socket.wait_event("message.stored", seq=4)["data"]
    eventually(lambda: any(push["seq"] == 4 for push in pushes_to(stage, bob)), "the last is pushed")
    pushes = pushes_to(stage, bob)
    assert [push["kind"] for push in pushes].count("alert") == 1, pushes
    assert {push["collapse_id"] for push in pushes} == {last["conversation_id"]}
    assert pushes[-1]["badge"] == 4
    assert len({push["seq"] for push in pushes}) == len(pushes)


def test_the_push_log_tells_what_became_of_each_message(stage: Stage, alice: Person, bob: Person) -> None:
    register_token(bob)
    chat = send(alice, "first", to=bob.user_id)["conversation_id"]
    eventually(lambda: fates_of(stage, bob) == [(1, "sent", "")], "the first one's fate is known")
    bob.rest.patch(f"/conversations/{chat}", json={"muted": True})
    send(alice, "second", to=bob.user_id)
    eventually(lambda: fates_of(stage, bob)[1:] == [(2, "suppressed", "muted")], "the second one's fate is known")


def test_functions_that_are_killed_push_once_more_at_most_and_lose_nothing(
    stage: Stage, alice: Person, bob: Person
) -> None:
    register_token(bob)
    for number in range(1, 6):
        send(alice, f"number {number}", to=bob.user_id)
        # Whatever they are at: each round finds them somewhere else.
        stage.kill_function("task-worker" if number % 2 else "task-push")
    eventually(lambda: any(push["seq"] == 5 for push in pushes_to(stage, bob)), "the last is pushed", within_s=120)
    seqs = [push["seq"] for push in pushes_to(stage, bob)]
    assert all(seqs.count(seq) <= 2 for seq in seqs), seqs
    eventually(lambda: all(fate[1] in ("sent", "suppressed") for fate in fates_of(stage, bob)), "every fate is known")


def test_a_report_of_a_dead_connection_that_fails_for_long_ends_in_a_push_all_the_same(
    stage: Stage, alice: Person, bob: Person
) -> None:
    stored = send(alice, "did you get this?", to=bob.user_id)  # Bob has no token yet, so nothing is pushed
    register_token(bob)
    missed = [{"conversation_id": stored["conversation_id"], "seq": stored["seq"]}]
    dead = {"user_id": int(bob.user_id), "device_id": bob.device_id, "connection_id": "gone=", "missed": missed}
    functions = stage.aws("lambda").list_functions(MaxItems=100)["Functions"]
    (name,) = [one["FunctionName"] for one in functions if one["FunctionName"].endswith("gateway-websocket-g1")]
    queues = stage.aws("sqs")
    (queue,) = [url for url in queues.list_queues()["QueueUrls"] if url.endswith("gateway-websocket-g1-failed")]

    def waiting() -> int:
        counts = ("ApproximateNumberOfMessages", "ApproximateNumberOfMessagesNotVisible")
        told = queues.get_queue_attributes(QueueUrl=queue, AttributeNames=list(counts))["Attributes"]
        return sum(int(told[count]) for count in counts)

    stage.control("mysql", "kill")
    try:
        # As `deliver` does it, word for word.
        report = json.dumps({"gochat": "dead_connections", "connections": [dead]})
        stage.aws("lambda").invoke(FunctionName=name, InvocationType="Event", Payload=report)
        eventually(lambda: waiting() == 1, "the report is kept in the queue", within_s=120)
    finally:
        stage.control("mysql", "restart")
    eventually(lambda: len(pushes_to(stage, bob)) == 1, "the push is sent", within_s=120)
    assert pushes_to(stage, bob)[0]["body"] == "did you get this?"
    eventually(lambda: waiting() == 0, "and the report is done with", within_s=60)


def test_browsers_learn_what_to_subscribe_with(alice: Person, bob: Person) -> None:
    keys = [person.rest.get("/push/vapid-key").json()["public_key"] for person in (alice, bob)]
    assert keys[0] == keys[1]
    assert len(keys[0]) == 87


def fates_of(stage: Stage, person: Person) -> list[tuple[int, str, str]]:
    """Return what the push log says of somebody: seq, outcome and reason, in order."""
    url = urlsplit(stage.services["mysql"])
    with (
        pymysql.connect(
            host=url.hostname, port=url.port or 3306, user=url.username or "root", database="gochat"
        ) as sql,
        sql.cursor() as cursor,
    ):
        cursor.execute(
            "SELECT seq, outcome, reason FROM push_log WHERE user_id = %s ORDER BY created_at_ms, seq",
            (person.user_id,),
        )
        return [tuple(row) for row in cursor.fetchall()]
