from dataclasses import dataclass, field

import pytest

from gochat_contracts.records import PushRecord
from gochat_core.ids import single_conversation_id
from gochat_core.types import DeviceId, Seq, UserId
from task.push.breaker import OPEN_MS, OPENS_AFTER
from task.push.providers.provider import Answer, Push, Refused, Sent, TokenDead, TryAgain
from task.push.sender import CALL_TIMEOUT_S, TRIES, Sender
from tests.fakes.clock import SettableClock

AWAY = TryAgain(reason="http_503")


@dataclass
class Scripted:
    """A provider that answers as written, then that it has the push; of several services, named in the title."""

    answers: list[Answer] = field(default_factory=list)
    timeouts_s: list[float] = field(default_factory=list)

    def service(self, push: Push) -> str:
        return push.record.title

    def send(self, push: Push, *, timeout_s: float) -> Answer:
        assert push.token
        self.timeouts_s.append(timeout_s)
        return self.answers.pop(0) if self.answers else Sent()


@dataclass
class Bench:
    """A sender over two providers, and a clock that its pauses move."""

    clock: SettableClock = field(default_factory=SettableClock)
    fcm: Scripted = field(default_factory=Scripted)
    apns: Scripted = field(default_factory=Scripted)
    pauses_s: list[float] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.sender = Sender({"fcm": self.fcm, "apns": self.apns}, self.clock, pause=self.pause, jitter=lambda: 0.5)

    def pause(self, for_s: float) -> None:
        self.pauses_s.append(for_s)
        self.clock.advance_ms(int(for_s * 1000))

    def send(self, provider: str = "fcm", *, service: str = "one", within_ms: int = 10_000) -> Answer:
        record = PushRecord(
            task_id="t",
            user_id=UserId(2),
            device_id=DeviceId("phone"),
            conversation_id=single_conversation_id(UserId(1), UserId(2)),
            seq=Seq(1),
            kind="alert",
            title=service,
            body="hello",
            created_at_ms=1,
            expires_at_ms=2,
        )
        push = Push(record=record, provider=provider, token="secret", badge=1)
        assert "secret" not in repr(push)
        return self.sender.send(push, until_ms=self.clock.now_ms() + within_ms)


@pytest.fixture
def bench() -> Bench:
    return Bench()


def test_what_may_succeed_later_is_tried_again_with_growing_pauses(bench: Bench) -> None:
    bench.fcm.answers = [AWAY, AWAY]
    assert bench.send() == Sent()
    assert bench.pauses_s == [0.1, 0.2]
    assert bench.fcm.timeouts_s[0] == CALL_TIMEOUT_S


@pytest.mark.parametrize("answer", [TokenDead(reason="unregistered"), Refused(reason="payload")])
def test_what_is_decided_is_not_tried_again(bench: Bench, answer: Answer) -> None:
    bench.fcm.answers = [answer]
    assert bench.send() == answer
    assert len(bench.fcm.timeouts_s) == 1


def test_a_provider_that_asks_to_wait_is_waited_for_only_while_there_is_time(bench: Bench) -> None:
    busy = TryAgain(reason="http_429", after_s=2.0)
    bench.fcm.answers = [busy]
    assert bench.send() == Sent()
    assert bench.pauses_s == [2.0]
    bench.fcm.answers = [busy]
    assert bench.send(within_ms=1_500) == busy


def test_without_time_nothing_is_sent(bench: Bench) -> None:
    assert bench.send(within_ms=0) == TryAgain(reason="no_time")
    assert bench.fcm.timeouts_s == []


def test_a_provider_that_is_away_is_left_alone_for_a_while_and_the_other_one_is_not(bench: Bench) -> None:
    bench.fcm.answers = [AWAY] * OPENS_AFTER
    bench.send()
    bench.send()
    asked = len(bench.fcm.timeouts_s)
    assert asked == OPENS_AFTER < 2 * TRIES
    assert bench.send() == TryAgain(reason="provider_away", after_s=(OPEN_MS - 200) / 1000)
    assert (len(bench.fcm.timeouts_s), bench.send("apns")) == (asked, Sent())
    bench.clock.advance_ms(OPEN_MS)
    bench.fcm.answers = [AWAY]
    assert bench.send().reason == "provider_away", "one failure after the pause is enough"  # type: ignore[union-attr]
    bench.clock.advance_ms(OPEN_MS)
    assert bench.send() == Sent()
    bench.fcm.answers = [AWAY]
    assert bench.send() == Sent(), "and a success closes it"


def test_one_service_of_a_provider_that_is_away_leaves_its_others_alone(bench: Bench) -> None:
    bench.fcm.answers = [AWAY] * OPENS_AFTER
    bench.send()
    bench.send()
    assert bench.send().reason == "provider_away"  # type: ignore[union-attr]
    assert bench.send(service="another") == Sent()


def test_a_token_of_a_kind_that_nobody_sends_to_is_refused(bench: Bench) -> None:
    assert bench.send("pigeon") == Refused(reason="no_provider")
