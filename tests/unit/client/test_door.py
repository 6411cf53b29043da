"""The client's own manners: patience with a database that wakes up, and a plain word for every failure."""

import pytest

from gochat_client.door import Answer, Door
from gochat_client.faults import StepFailedError
from tests.fakes.answers import Answering, answer


def door(answers: list[Answer], pauses: list[float] | None = None, patience_s: float = 60.0) -> Door:
    pause = (pauses if pauses is not None else []).append
    return Door("https://chat.example", patience_s=patience_s, send=Answering(answers), pause=pause)


def test_while_the_database_wakes_up_it_waits_as_long_as_it_is_told() -> None:
    pauses: list[float] = []
    waking = answer(503, {"code": "unavailable"}, retry_after="20")
    assert door([waking, waking, answer(200, {"status": "ok"})], pauses).call("GET", "/health") == {"status": "ok"}
    assert pauses == [20.0, 20.0]


def test_its_patience_ends() -> None:
    with pytest.raises(StepFailedError, match="503 unavailable"):
        door([answer(503, {"code": "unavailable"})], patience_s=-1).call("GET", "/health")


def test_a_refusal_is_told_with_its_code_and_the_request_to_look_for() -> None:
    refused = answer(409, {"code": "username_taken"}, x_request_id="r-17")
    with pytest.raises(StepFailedError, match="409 username_taken") as caught:
        door([refused]).call("POST", "/auth/register", {})
    assert "r-17" in caught.value.advice
    assert caught.value.code == "username_taken"


def test_what_answers_and_is_no_gochat_is_quoted() -> None:
    page = Answer(status=404, headers={}, body=b"<h1>Nothing here</h1>")
    with pytest.raises(StepFailedError, match="404 <h1>Nothing here"):
        door([page]).call("GET", "/health")


def test_nobody_at_home_is_a_failure_too() -> None:
    def refuse(*_: object) -> Answer:
        raise ConnectionRefusedError("refused")

    with pytest.raises(StepFailedError, match="does not answer: refused"):
        Door("https://chat.example", patience_s=1, send=refuse).call("GET", "/health")
