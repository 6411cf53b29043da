"""A sweep does all its duties, whatever becomes of one of them."""

import json

import pytest

from gochat_core.errors import Unavailable
from gochat_core.logs import make_logger
from gochat_core.metrics import Metrics
from gochat_core.sweeps import Counts, Duty, TimeLimit, run_duties
from tests.fakes.clock import SettableClock


def run(clock: SettableClock, *duties: Duty) -> dict[str, object]:
    return run_duties(duties, clock=clock, logger=make_logger("test"), metrics=Metrics(service="test", stage="test"))


def failing(_: TimeLimit) -> Counts:
    raise ValueError("a fault of ours")


def away(_: TimeLimit) -> Counts:
    raise Unavailable


def done(_: TimeLimit) -> Counts:
    return {"Deleted": 3}


def test_one_duty_s_failure_does_not_stop_the_others() -> None:
    outcome = run(
        SettableClock(),
        Duty(name="first", limit_s=1, run=failing),
        Duty(name="second", limit_s=1, run=away),
        Duty(name="third", limit_s=1, run=done),
    )
    assert outcome == {"failed": ["first", "second"], "third": {"Deleted": 3}}


def test_every_duty_has_a_limit_of_its_own() -> None:
    clock = SettableClock()

    def slow(limit: TimeLimit) -> Counts:
        pieces = 0
        while not limit.is_over():
            pieces += 1
            clock.advance_ms(500)
        return {"Pieces": pieces}

    outcome = run(clock, Duty(name="slow", limit_s=2, run=slow), Duty(name="next", limit_s=1, run=slow))
    assert outcome == {"failed": [], "slow": {"Pieces": 4}, "next": {"Pieces": 2}}


def test_every_duty_has_one_log_line_and_one_line_of_metrics(
    capsys: pytest.CaptureFixture[str], caplog: pytest.LogCaptureFixture
) -> None:
    run(SettableClock(), Duty(name="good", limit_s=1, run=done), Duty(name="bad", limit_s=1, run=away))
    lines = [json.loads(line) for line in capsys.readouterr().out.splitlines() if line.startswith("{")]
    metrics = {line["duty"]: line for line in lines if "_aws" in line}
    assert (metrics["good"]["Deleted"], metrics["good"]["DutyFailed"], metrics["bad"]["DutyFailed"]) == ([3], [0], [1])
    assert [record.__dict__["duty"] for record in caplog.records] == ["good", "bad"]
