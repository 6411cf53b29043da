"""Seen from the first day: one trace from the frame to the post, and no secret in any log."""

import json
import time
import uuid
from functools import partial
from typing import Any

import pytest

from tests.fixtures.stage import Stage
from tests.flows.stock_client import PASSWORD, Person, eventually, text_message

pytestmark = pytest.mark.timeout(300)

FUNCTIONS = (
    "gateway-authorize",
    "gateway-websocket",
    "gateway-deliver",
    "gateway-deliver-bulk",
    "gateway-http",
    "logic-upstream",
    "logic-rpc",
    "task-worker",
    "repo-migrate",
)


def test_no_log_holds_a_token_a_password_or_the_text_of_a_message(stage: Stage, alice: Person, bob: Person) -> None:
    words = f"nobody-reads-this-{uuid.uuid4().hex}"
    ticket = alice.rest.post("/auth/ticket").json()["ticket"]
    first = dict(alice.tokens)
    began_ms = int(time.time() * 1000)
    with alice.connect() as socket:
        socket.send_text(json.dumps({"action": "message.send", "id": "1", "data": {"text": words}}))
        socket.call("message.send", text_message(words, to=bob.user_id))
        stored = socket.wait_event("message.stored")["data"]
        socket.call("message.send", text_message(words, to="9223372036854775807"))
        socket.wait_event("message.rejected")
    alice.rest.post(f"/conversations/{stored['conversation_id']}/messages", json=text_message(words))
    alice.rest.post(f"/conversations/{stored['conversation_id']}/messages", json={"content": {"text": words}})
    alice.rest.get(f"/conversations/{stored['conversation_id']}/messages")
    alice.rest.post("/auth/login", json={"username": alice.username, "password": PASSWORD + words})
    refreshed = alice.open.post("/auth/refresh", json={"refresh_token": first["refresh_token"]}).json()

    marker = alice.rest.get("/users/me").headers["x-request-id"]

    def is_logged() -> bool:
        return any(marker in line for line in stage.log_lines("gateway-http", since_ms=began_ms))

    eventually(is_logged, "the request is in the logs")
    lines = {function: stage.log_lines(function) for function in FUNCTIONS}
    quiet = {"task-worker", "gateway-deliver-bulk"}
    assert all(lines[function] for function in FUNCTIONS if function not in quiet), "every function logs"
    secrets = [words, PASSWORD, ticket, *first.values(), *refreshed.values()]
    secrets = [secret for secret in secrets if (isinstance(secret, str) and len(secret) > 20) or secret == PASSWORD]
    found = [
        (name, secret, line) for name, said in lines.items() for line in said for secret in secrets if secret in line
    ]
    assert not found, found[0]


def test_one_trace_leads_from_the_clients_frame_to_the_recipients_post(
    stage: Stage, alice: Person, bob: Person
) -> None:
    began = time.time()
    with alice.connect() as at_alice, bob.connect() as at_bob:
        at_alice.call("message.send", text_message("follow me", to=bob.user_id))
        stored = at_alice.wait_event("message.stored")["data"]
        at_bob.wait_messages(1, stored["conversation_id"])

    xray = stage.aws("xray")

    def ways() -> list[str]:
        summaries = xray.get_trace_summaries(StartTime=began - 5, EndTime=time.time() + 5)["TraceSummaries"]
        traces: list[dict[str, Any]] = []
        for summary in summaries:
            traces += xray.batch_get_traces(TraceIds=[summary["Id"]])["Traces"]
        return [" ".join(json.loads(segment["Document"])["name"] for segment in trace["Segments"]) for trace in traces]

    # The first hop is the segment that Lambda itself writes of the function, the others are ours.
    hops = ("gateway-websocket", "gochat-upstream", "gochat-deliver")
    eventually(lambda: any(all(hop in way for hop in hops) for way in ways()), "one trace holds all three hops")


def test_a_request_is_found_again_in_the_logs_of_both_functions_under_its_id(stage: Stage, alice: Person) -> None:
    began_ms = int(time.time() * 1000)
    request_id = alice.rest.get("/users/me").headers["x-request-id"]

    def is_logged(function: str) -> bool:
        return any(request_id in line for line in stage.log_lines(function, since_ms=began_ms))

    for function in ("gateway-http", "logic-rpc"):
        eventually(partial(is_logged, function), f"{function} logs the request id")


def test_metrics_tell_what_was_accepted_stored_and_delivered(stage: Stage, alice: Person, bob: Person) -> None:
    with alice.connect() as at_alice, bob.connect() as at_bob:
        at_alice.call("message.send", text_message("count me", to=bob.user_id))
        at_bob.wait_messages(1, at_alice.wait_event("message.stored")["data"]["conversation_id"])
    cloudwatch = stage.aws("cloudwatch")

    def names() -> set[str]:
        metrics = cloudwatch.get_paginator("list_metrics").paginate(Namespace="GoChat")
        return {metric["MetricName"] for page in metrics for metric in page["Metrics"]}

    eventually(lambda: {"Accepted", "Produced", "Stored", "Settled", "Delivered"} <= names(), "the metrics are there")
