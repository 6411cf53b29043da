"""Requests under keys while the function that answers them dies: each has one effect and one answer."""

import json
import threading
import time
import uuid
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import httpx
import pytest

from tests.fixtures.stage import Stage
from tests.flows.stock_client import Person, eventually

pytestmark = pytest.mark.timeout(400)

KEYS = 24
WITHIN_S = 120.0
"""Longer than a claim is held that a dead function left behind."""


class Answers:
    """What was answered under each key, by every client that asked."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self.of_key: dict[str, list[tuple[int, Any]]] = {}
        self.count = 0

    def add(self, key: str, answer: httpx.Response) -> None:
        with self._lock:
            self.of_key.setdefault(key, []).append((answer.status_code, answer.json()))
            self.count += 1

    def more_than(self, count: int) -> Callable[[], bool]:
        return lambda: self.count > count


def ask_until_answered(person: Person, url: str, body: Any, key: str) -> httpx.Response:
    """Send one request again and again, as a client does that hears 5xx or nothing."""
    headers = {"Idempotency-Key": key, "Authorization": f"Bearer {person.tokens['access_token']}"}
    deadline = time.monotonic() + WITHIN_S
    with httpx.Client(timeout=35, trust_env=False) as client:
        while time.monotonic() < deadline:
            answer = client.post(url, content=json.dumps(body), headers=headers)
            if answer.status_code < 500:
                return answer
    raise AssertionError(f"no answer within {WITHIN_S} s: {answer.status_code} {answer.text}")


def test_a_function_that_dies_among_requests_with_keys_doubles_nothing_and_answers_once(
    stage: Stage, alice: Person, bob: Person
) -> None:
    opened = alice.rest.post("/conversations/create", json={"type": "single", "member_ids": [bob.user_id]})
    conversation_id = opened.json()["conversation"]["conversation_id"]
    url = f"{stage.http_url}/api/v1/conversations/{conversation_id}/messages"
    bodies: dict[str, dict[str, Any]] = {
        uuid.uuid4().hex: {"client_msg_id": f"m-{number}", "type": "text", "content": {"text": f"text {number}"}}
        for number in range(KEYS)
    }
    answers = Answers()

    def ask(key: str) -> None:
        answers.add(key, ask_until_answered(alice, url, bodies[key], key))

    with ThreadPoolExecutor(6) as pool:
        # Each request comes twice at once, as from a client whose connection broke while it waited.
        asked = [pool.submit(ask, key) for key in bodies for _ in range(2)]
        killed = 0
        for round_ in range(1, 4):
            killed += stage.kill_function("logic-rpc")
            eventually(answers.more_than(4 * round_), "they are answered", within_s=WITHIN_S)
        for one in asked:
            one.result()
    assert killed >= 3
    for key, body in bodies.items():
        answers.add(key, ask_until_answered(alice, url, body, key))
        assert len(answers.of_key[key]) == 3
        first, *others = answers.of_key[key]
        assert first[0] in (200, 201)
        assert others == [first, first]
    history = bob.history(conversation_id)
    assert sorted(message["client_msg_id"] for message in history) == sorted(
        body["client_msg_id"] for body in bodies.values()
    )
    assert [message["seq"] for message in history] == list(range(1, KEYS + 1))
