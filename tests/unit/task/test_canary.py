"""The canary's accounts heal themselves, its logins are used again, and a run that fails says so and never raises."""

import json
from collections.abc import Mapping
from typing import Any

import pytest

from gochat_client.door import Answer, Door
from gochat_core.errors import Unavailable
from gochat_core.logs import make_logger
from gochat_core.metrics import Metrics
from task.canary.accounts import TOKEN_USED_MS, Account, make_accounts
from task.canary.song import Canary
from tests.fakes.answers import Answering, answer
from tests.fakes.clock import SettableClock

SEED = "a-text-of-the-secret"


class Stage:
    """The accounts of a stage behind its REST door, as far as logins go."""

    def __init__(self) -> None:
        self.passwords: dict[str, str] = {}
        self.refresh_works = True
        self.door = Answering(respond=self._respond)

    def _respond(self, method: str, path: str, body: Mapping[str, Any]) -> Answer:
        name, password = body.get("username", ""), body.get("password", "")
        if path == "/auth/register":
            self.passwords[name] = password
            return answer(201, {"user": {"user_id": "7"}})
        if path == "/auth/login" and self.passwords.get(name) != password:
            return answer(401, {"code": "invalid_credentials"})
        if path == "/auth/refresh" and not self.refresh_works:
            return answer(401, {"code": "unauthenticated"})
        if path.startswith("/auth/"):
            tokens = {"access_token": "t", "refresh_token": "r", "websocket_url": "ws://127.0.0.1:9"}
            return answer(200, {"user": {"user_id": "7"}, **tokens})
        return answer(500, {"code": "internal_error"})


@pytest.fixture
def stage() -> Stage:
    return Stage()


def accounts(stage: Stage, seed: str = SEED) -> tuple[Account, Account]:
    return make_accounts(seed, lambda: make_door(stage))


def make_door(stage: Stage) -> Door:
    return Door("https://chat.example", patience_s=-1, send=stage.door, pause=lambda _: None)


def test_the_first_run_makes_the_account_and_later_ones_do_not(stage: Stage) -> None:
    clock = SettableClock()
    ada, _ = accounts(stage)
    assert ada.enter(clock)
    another_container, _ = accounts(stage)
    assert another_container.enter(clock)
    assert stage.door.asked == [
        *("POST /auth/login", "POST /auth/register", "POST /auth/login"),
        "POST /auth/login",
    ]


def test_a_login_is_used_again_then_renewed_and_opened_anew_when_that_is_refused(stage: Stage) -> None:
    clock = SettableClock()
    ada, _ = accounts(stage)
    assert ada.enter(clock)
    stage.door.asked.clear()
    clock.advance_ms(TOKEN_USED_MS - 1)
    assert not ada.enter(clock)
    assert stage.door.asked == []
    clock.advance_ms(1)
    assert not ada.enter(clock)
    assert stage.door.asked == ["POST /auth/refresh"]
    stage.refresh_works = False
    clock.advance_ms(TOKEN_USED_MS)
    assert ada.enter(clock)
    assert stage.door.asked[-2:] == ["POST /auth/refresh", "POST /auth/login"]


def test_names_and_passwords_follow_from_the_secret_and_tell_nothing_of_each_other(stage: Stage) -> None:
    ada, ben = accounts(stage)
    again, _ = accounts(stage)
    other, _ = accounts(stage, "another text")
    assert (ada.guest.name, ada.guest.password) == (again.guest.name, again.guest.password)
    assert len({ada.guest.name, ben.guest.name, other.guest.name}) == 3
    assert len({ada.guest.password, ben.guest.password, other.guest.password, SEED}) == 4
    assert len(ada.guest.name) <= 32
    assert ada.guest.password not in repr(ada)


def canary(stage: Stage, *, seed: str | None = SEED) -> Canary:
    def read_seed() -> str:
        if seed is None:
            raise Unavailable("A secret can't be read for the moment")
        return seed

    return Canary(
        read_seed=read_seed,
        make_door=lambda: make_door(stage),
        patience_s=1,
        every_minutes=5,
        clock=SettableClock(),
        logger=make_logger("task-canary"),
        metrics=Metrics(service="task-canary", stage="test"),
    )


def _emitted(text: str) -> list[dict[str, Any]]:
    return [line for line in map(json.loads, text.splitlines()) if "_aws" in line]


def test_a_run_that_fails_names_the_step_and_counts_as_failed(stage: Stage, capsys: pytest.CaptureFixture[str]) -> None:
    report = canary(stage).sing()
    assert (report["ok"], report["failed"]) == (False, "the REST door answers")
    assert "internal_error" in report["reason"]
    told = _emitted(capsys.readouterr().out)
    assert [line["CanarySucceeded"] for line in told if "CanarySucceeded" in line] == [[0.0]]
    assert [line["step"] for line in told if "CanaryStep" in line] == ["the REST door answers"]


def test_a_secret_that_cannot_be_read_is_a_failed_run(stage: Stage, capsys: pytest.CaptureFixture[str]) -> None:
    report = canary(stage, seed=None).sing()
    assert (report["ok"], report["failed"]) == (False, "the secret is read")
    assert _emitted(capsys.readouterr().out)[-1]["CanarySucceeded"] == [0.0]
