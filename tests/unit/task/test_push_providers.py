"""Which provider a kind of token goes through, as a stage's settings say."""

import json

import pytest

from gochat_core.clock import SystemClock
from gochat_core.logs import make_logger
from task.push.providers.log import LogProvider
from task.push.providers.provider import Sent
from task.push.providers.sns import SnsProvider
from task.push.providers.webpush import WebPushProvider
from task.push.wiring import KINDS, PushSettings, providers
from tests.contract.test_push_providers import PUSH

FCM = "arn:aws:sns:us-east-1:000000000000:app/GCM/gochat"
APNS = "arn:aws:sns:us-east-1:000000000000:app/APNS/gochat"


def kinds(**settings: str) -> dict[str, type]:
    made = PushSettings(stage="test", repo_function="repo", worker_function="worker", **settings)  # type: ignore[arg-type]
    return {kind: type(one) for kind, one in providers(made, make_logger("test"), SystemClock()).items()}


@pytest.fixture(autouse=True)
def credentials(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("AWS_DEFAULT_REGION", "AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.setenv(name, "us-east-1")


def test_by_default_everything_goes_to_the_log() -> None:
    assert kinds() == dict.fromkeys(KINDS, LogProvider)


def test_each_provider_is_there_once_it_is_configured_and_the_others_go_to_the_log() -> None:
    assert kinds(push_fcm_application=FCM) == {"apns": LogProvider, "fcm": SnsProvider, "webpush": LogProvider}
    web = {"push_web_contact": "mailto:ops@example.org", "push_vapid_secret_arn": "arn"}
    assert kinds(**web) == {"apns": LogProvider, "fcm": LogProvider, "webpush": WebPushProvider}
    assert kinds(push_fcm_application=FCM, push_apns_application=APNS, **web) == {
        "apns": SnsProvider,
        "fcm": SnsProvider,
        "webpush": WebPushProvider,
    }


@pytest.mark.parametrize("shows_text", [True, False])
def test_the_log_says_what_a_notification_says_only_where_it_is_told_to(
    shows_text: bool, capsys: pytest.CaptureFixture[str]
) -> None:
    assert LogProvider(make_logger(f"log-{shows_text}"), shows_text=shows_text).send(PUSH, timeout_s=5) == Sent()
    line = capsys.readouterr().out
    told = json.loads(line)
    assert (told["badge"], told["collapse_id"], told["seq"]) == (3, PUSH.record.conversation_id, 7)
    assert ("hello" in line, "Alice" in line) == (shows_text, shows_text)
    assert PUSH.token not in line
