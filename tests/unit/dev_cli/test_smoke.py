"""The smoke test's own manners: patience with a database that wakes up, and a plain word for every failure."""

import httpx
import pytest

from dev_cli.failure import Failure
from dev_cli.smoke.door import Door
from dev_cli.smoke.walk import Timing, Walk

Answers = list[httpx.Response]


def door(answers: Answers, pauses: list[float] | None = None, patience_s: float = 60.0) -> Door:
    left = iter(answers)
    return Door(
        "https://chat.example",
        patience_s=patience_s,
        transport=httpx.MockTransport(lambda request: next(left)),
        pause=(pauses if pauses is not None else []).append,
    )


def test_while_the_database_wakes_up_it_waits_as_long_as_it_is_told() -> None:
    pauses: list[float] = []
    waking = httpx.Response(503, headers={"retry-after": "20"}, json={"code": "unavailable"})
    answer = door([waking, waking, httpx.Response(200, json={"status": "ok"})], pauses).call("GET", "/health")
    assert answer == {"status": "ok"}
    assert pauses == [20.0, 20.0]


def test_its_patience_ends() -> None:
    away = httpx.Response(503, json={"code": "unavailable"})
    with pytest.raises(Failure, match="503 unavailable"):
        door([away], patience_s=-1).call("GET", "/health")


def test_a_refusal_is_told_with_its_code_and_the_request_to_look_for() -> None:
    refused = httpx.Response(409, json={"code": "username_taken"}, headers={"x-request-id": "r-17"})
    with pytest.raises(Failure, match="409 username_taken") as caught:
        door([refused]).call("POST", "/auth/register", {})
    assert "r-17" in caught.value.advice


def test_whoever_was_made_is_deleted_although_the_walk_failed() -> None:
    asked: list[str] = []
    told: list[Timing] = []

    def answer(request: httpx.Request) -> httpx.Response:
        asked.append(f"{request.method} {request.url.path}")
        if request.url.path.endswith("/auth/register") and asked.count("POST /api/v1/auth/register") == 2:
            return httpx.Response(500, json={"code": "internal_error"})
        login = {"access_token": "t", "websocket_url": "ws://127.0.0.1:9"}
        return httpx.Response(200, json={"user": {"user_id": "7"}, **login})

    walk = Walk(
        lambda: Door("https://chat.example", patience_s=1, transport=httpx.MockTransport(answer)),
        patience_s=1,
        tell=told.append,
    )
    with pytest.raises(Failure, match="internal_error"):
        walk.take()
    assert asked[-2:] == ["POST /api/v1/auth/login", "DELETE /api/v1/users/me"]
    assert [(timing.step, timing.ok) for timing in told] == [
        ("the REST door answers", True),
        ("two users register", False),
        ("they delete themselves", True),
    ]
