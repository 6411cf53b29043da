"""One provider's trouble is nobody else's, and a browser's way from the message to the service worker."""

import json
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from cdk_app.custom_resources.vapid_key import make_key
from gochat_core.clock import SystemClock
from gochat_core.types import DeviceId
from gochat_repo.push_tokens import list_push_tokens
from task.push.batch import THREADS
from task.push.breaker import OPENS_AFTER
from task.push.providers.provider import Answer, Push, Sent, TryAgain
from task.push.providers.webpush import WebPushProvider
from tests.fakes.push_service import GOOGLE, Browser, PushService, serving
from tests.integration.messages.frames import ALICE, BOB, CHAT, frame
from tests.integration.messages.push_stage import Phones, PushStage, make_push_stage
from tests.integration.messages.stage import Stage

DEADLINE_S = 30.0


@dataclass
class Hanging:
    """A provider that answers nobody until it is told to."""

    let_go: threading.Event = field(default_factory=threading.Event)
    was_let_go: list[bool] = field(default_factory=list)

    def service(self, push: Push) -> str:
        return ""

    def send(self, push: Push, *, timeout_s: float) -> Answer:
        self.was_let_go.append(self.let_go.wait(DEADLINE_S))
        return TryAgain(reason="timeout")


@dataclass
class Working:
    """A provider that lets the hanging one go once it has sent everything of its own."""

    expected: int
    other: Hanging
    sent: list[Push] = field(default_factory=list)

    def service(self, push: Push) -> str:
        return ""

    def send(self, push: Push, *, timeout_s: float) -> Answer:
        self.sent.append(push)
        if len(self.sent) == self.expected:
            self.other.let_go.set()
        return Sent()


def test_a_provider_that_hangs_holds_up_no_other_and_is_left_alone(stage: Stage) -> None:
    hanging = Hanging()
    working = Working(expected=10, other=hanging)
    pushes = make_push_stage(stage, Phones(), apns=working, webpush=hanging)
    for number in range(2 * THREADS):  # far more than could hang at a time
        browser = Browser(path=f"/{number}")
        pushes.log_in(BOB, DeviceId(f"browser-{number:02}"), provider="webpush", token=browser.subscription())
    for number in range(10):  # behind all of those in the batch
        pushes.log_in(BOB, DeviceId(f"iphone-{number}"), provider="apns", token=f"{number:064}")
    stage.doors[0].apply(frame("a"))
    pushes.work_off()

    verdicts = pushes.push()

    assert all(hanging.was_let_go), "all of the others were sent while it hung"
    assert len(hanging.was_let_go) <= THREADS + OPENS_AFTER, "the breaker opened"
    assert verdicts.counts["sent_alert"] == 11
    deferred = verdicts.counts["deferred_timeout"] + verdicts.counts["deferred_provider_away"]
    assert (deferred, verdicts.failed) == (2 * THREADS, set())


@pytest.fixture
def service(tmp_path: Path) -> Iterator[PushService]:
    with serving(tmp_path) as running:
        yield running


@pytest.fixture
def web(stage: Stage, service: PushService) -> Iterator[PushStage]:
    secret = json.dumps({"private_pem": make_key()})
    provider = WebPushProvider(
        lambda: secret, contact="mailto:ops@example.org", clock=SystemClock(), connect=service.connect
    )
    yield make_push_stage(stage, Phones(), webpush=provider)
    provider.close()


def test_a_browser_is_told_and_forgotten_once_its_subscription_has_ended(
    stage: Stage, service: PushService, web: PushStage
) -> None:
    browser = Browser()
    web.log_in(BOB, DeviceId("browser"), provider="webpush", token=browser.subscription())
    stage.doors[0].apply(frame("a", text="how are you?"))
    web.work_off()
    assert web.push().counts == {"sent_alert": 2}
    (posted,) = service.posted
    told = browser.decrypt(posted.body)
    assert (told["title"], told["body"], told["badge"], told["tag"]) == (f"User {ALICE}", "how are you?", 1, CHAT)

    service.answers.append((410, {}))
    stage.doors[0].apply(frame("b"))
    stage.producer.records = [one for one in stage.producer.records if one.topic == "im-task-topic"]
    web.work_off()
    web.push()
    held = stage.doors[0].database.read(lambda tx: list_push_tokens(tx, [BOB], now_ms=1))
    assert [one.device_id for one in held[BOB]] == ["phone"]
    assert (BOB, 2, "failed", "http_410") in web.fates()


def test_one_browser_maker_s_outage_is_none_of_another_s(stage: Stage, service: PushService, web: PushStage) -> None:
    mozilla, google = Browser(), Browser(host=GOOGLE, path="/fcm/send/abc")
    web.log_in(BOB, DeviceId("firefox"), provider="webpush", token=mozilla.subscription())
    web.log_in(BOB, DeviceId("chrome"), provider="webpush", token=google.subscription())
    for name in "abc":
        stage.doors[0].apply(frame(name))
        web.work_off()
        # Of two posts at once either may come first: both answer by host, so the one of Mozilla alone fails.
        service.failing_host = mozilla.host
        web.push()
        stage.producer.records.clear()
    by_host = [posted.host for posted in service.posted]
    assert by_host.count(GOOGLE) == 3
    assert by_host.count(mozilla.host) == OPENS_AFTER, "after so many failures it is left alone"
