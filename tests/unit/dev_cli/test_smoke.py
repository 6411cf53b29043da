"""The smoke test leaves nobody behind, whatever happens."""

from collections.abc import Mapping
from typing import Any

import pytest

from dev_cli.smoke.walk import Walk
from gochat_client.door import Answer, Door
from gochat_client.faults import StepFailedError
from gochat_client.steps import Timing
from tests.fakes.answers import Answering, answer


def test_whoever_was_made_is_deleted_although_the_walk_failed() -> None:
    told: list[Timing] = []

    def respond(method: str, path: str, body: Mapping[str, Any]) -> Answer:
        if path == "/auth/register" and stage.asked.count("POST /auth/register") == 2:
            return answer(500, {"code": "internal_error"})
        login = {"access_token": "t", "refresh_token": "r", "websocket_url": "ws://127.0.0.1:9"}
        return answer(200, {"user": {"user_id": "7"}, **login})

    stage = Answering(respond=respond)
    walk = Walk(
        lambda: Door("https://chat.example", patience_s=1, send=stage, pause=lambda _: None),
        patience_s=1,
        tell=told.append,
    )
    with pytest.raises(StepFailedError, match="internal_error"):
        walk.take()
    assert stage.asked[-2:] == ["POST /auth/login", "DELETE /users/me"]
    assert [(timing.step, timing.ok) for timing in told] == [
        ("the REST door answers", True),
        ("two users register", False),
        ("they delete themselves", True),
    ]
    assert walk.steps.failed == "two users register"
