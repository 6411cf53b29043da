"""What push providers make of the services' answers; SNS against moto."""

import json
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import boto3
import msgspec
import pytest
from botocore.config import Config
from botocore.exceptions import ClientError, EndpointConnectionError
from moto import mock_aws

from gochat_contracts.records import PUSH_LIFETIME_MS, PushRecord
from gochat_core.ids import single_conversation_id
from gochat_core.types import DeviceId, Seq, UserId
from task.push.providers.payloads import MAX_PAYLOAD_BYTES, apns_payload, fcm_message
from task.push.providers.provider import Push, Refused, Sent, TokenDead, TryAgain
from task.push.providers.sns import SnsProvider
from task.worker.push_texts import MAX_BODY_CHARACTERS, MAX_TITLE_CHARACTERS
from tests.fakes.clock import SettableClock

CLOCK = SettableClock()
RECORD = PushRecord(
    task_id="t",
    user_id=UserId(2),
    device_id=DeviceId("phone"),
    conversation_id=single_conversation_id(UserId(1), UserId(2)),
    seq=Seq(7),
    kind="alert",
    title="Alice",
    body="hello",
    created_at_ms=CLOCK.now_ms(),
    expires_at_ms=CLOCK.now_ms() + PUSH_LIFETIME_MS,
)
PUSH = Push(record=RECORD, provider="fcm", token="a" * 64, badge=3)
SILENT = Push(record=msgspec.structs.replace(RECORD, kind="silent"), provider="fcm", token="a" * 64, badge=3)


class Spy:
    """SNS, with a look at what was published and a fault to be had."""

    def __init__(self, sns: Any) -> None:
        self._sns = sns
        self.published: list[dict[str, Any]] = []
        self.made = 0
        self.fault: Exception | None = None

    def publish(self, **arguments: Any) -> Any:
        if self.fault is not None:
            raise self.fault
        self.published.append(arguments)
        return self._sns.publish(**arguments)

    def create_platform_endpoint(self, **arguments: Any) -> Any:
        self.made += 1
        return self._sns.create_platform_endpoint(**arguments)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._sns, name)


@pytest.fixture
def spy(monkeypatch: pytest.MonkeyPatch) -> Iterator[Spy]:
    for name, value in {
        "AWS_DEFAULT_REGION": "us-east-1",
        "AWS_ACCESS_KEY_ID": "testing",
        "AWS_SECRET_ACCESS_KEY": "testing",
    }.items():
        monkeypatch.setenv(name, value)
    with mock_aws():
        yield Spy(boto3.client("sns"))


def provider(spy: Spy, platform: str) -> SnsProvider:
    arn = spy.create_platform_application(Name="gochat", Platform=platform, Attributes={})["PlatformApplicationArn"]
    return SnsProvider(arn, CLOCK, client=spy)


@pytest.mark.parametrize("platform", ["APNS", "APNS_SANDBOX"])
def test_an_alert_goes_to_apns_at_once_and_collapses(spy: Spy, platform: str) -> None:
    assert provider(spy, platform).send(PUSH, timeout_s=5) == Sent()
    (published,) = spy.published
    payload = json.loads(json.loads(published["Message"])[platform])
    assert payload["aps"] == {
        "alert": {"title": "Alice", "body": "hello"},
        "badge": 3,
        "thread-id": RECORD.conversation_id,
        "interruption-level": "active",
        "sound": "default",
    }
    values = {name: one["StringValue"] for name, one in published["MessageAttributes"].items()}
    assert values == {
        f"AWS.SNS.MOBILE.{platform}.TTL": "86400",
        "AWS.SNS.MOBILE.APNS.PUSH_TYPE": "alert",
        "AWS.SNS.MOBILE.APNS.PRIORITY": "10",
        "AWS.SNS.MOBILE.APNS.COLLAPSE_ID": RECORD.conversation_id,
    }


def test_what_is_silent_has_no_sound_and_no_hurry(spy: Spy) -> None:
    assert provider(spy, "APNS").send(SILENT, timeout_s=5) == Sent()
    payload = json.loads(json.loads(spy.published[0]["Message"])["APNS"])
    assert "sound" not in payload["aps"]
    assert payload["aps"]["interruption-level"] == "passive"
    assert spy.published[0]["MessageAttributes"]["AWS.SNS.MOBILE.APNS.PRIORITY"]["StringValue"] == "5"


def test_fcm_is_sent_a_message_of_its_v1_api(spy: Spy) -> None:
    assert provider(spy, "GCM").send(PUSH, timeout_s=5) == Sent()
    message = json.loads(json.loads(spy.published[0]["Message"])["GCM"])["fcmV1Message"]["message"]
    assert message["notification"] == {"title": "Alice", "body": "hello"}
    assert message["android"]["collapse_key"] == RECORD.conversation_id
    assert (message["android"]["priority"], message["android"]["notification"]["notification_count"]) == ("HIGH", 3)
    assert message["data"] == {"conversation_id": RECORD.conversation_id, "seq": "7"}
    assert spy.published[0]["MessageAttributes"]["AWS.SNS.MOBILE.FCM.TTL"]["StringValue"] == "86400"


def test_an_endpoint_that_is_disabled_is_a_dead_token_and_its_token_may_come_again(spy: Spy) -> None:
    sender = provider(spy, "GCM")
    assert sender.send(PUSH, timeout_s=5) == Sent()
    endpoint = spy.published[0]["TargetArn"]
    spy.set_endpoint_attributes(EndpointArn=endpoint, Attributes={"Enabled": "false"})
    assert sender.send(PUSH, timeout_s=5) == TokenDead(reason="endpoint_disabled")
    assert sender.send(PUSH, timeout_s=5) == Sent()


@pytest.mark.parametrize(
    ("code", "status", "answer"),
    [
        ("Throttled", 429, TryAgain(reason="Throttled")),
        ("InternalError", 500, TryAgain(reason="InternalError")),
        ("?", 503, TryAgain(reason="?")),
        ("InvalidParameter", 400, Refused(reason="InvalidParameter")),
        ("InvalidParameterValue", 400, Refused(reason="InvalidParameterValue")),
        ("ThrottlingException", 400, TryAgain(reason="ThrottlingException")),
        ("AuthorizationError", 403, TryAgain(reason="AuthorizationError")),
        ("PlatformApplicationDisabled", 400, TryAgain(reason="PlatformApplicationDisabled")),
    ],
)
def test_what_may_succeed_later_is_told_apart_from_what_never_will(
    spy: Spy, code: str, status: int, answer: Any
) -> None:
    sender = provider(spy, "GCM")
    spy.fault = ClientError(
        {"Error": {"Code": code, "Message": ""}, "ResponseMetadata": {"HTTPStatusCode": status}},  # type: ignore[typeddict-item]
        "Publish",
    )
    assert sender.send(PUSH, timeout_s=5) == answer
    spy.fault = EndpointConnectionError(endpoint_url="https://sns")
    assert sender.send(PUSH, timeout_s=5) == TryAgain(reason="EndpointConnectionError")


class _Answering(BaseHTTPRequestHandler):
    """Answers everything alike, with what its server holds; None: not at all."""

    def do_POST(self) -> None:
        server: Any = self.server
        self.rfile.read(int(self.headers["content-length"]))
        if server.answer is None:
            server.over.wait(30)
            return
        status, body = server.answer
        self.send_response(status)
        self.send_header("content-length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *arguments: Any) -> None:  # noqa: A002 - the base class's name
        """Say nothing."""


@pytest.mark.parametrize(
    ("answer", "reason"),
    [
        ((200, b"\0 garbage"), "ResponseParserError"),
        ((200, b""), "ResponseParserError"),
        ((429, b"<html>slow down"), "ResponseParserError"),
        ((500, b"<html>"), "500"),
        ((503, b""), "503"),
        (None, "ReadTimeoutError"),
    ],
)
def test_whatever_stands_where_sns_should_is_no_answer(answer: Any, reason: str) -> None:
    server: Any = ThreadingHTTPServer(("127.0.0.1", 0), _Answering)
    server.daemon_threads, server.answer, server.over = True, answer, threading.Event()
    threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True).start()
    client = boto3.client(
        "sns",
        region_name="us-east-1",
        aws_access_key_id="testing",
        aws_secret_access_key="testing",
        endpoint_url=f"http://127.0.0.1:{server.server_address[1]}",
        config=Config(retries={"total_max_attempts": 1}, connect_timeout=2, read_timeout=0.5),
    )
    try:
        sender = SnsProvider("arn:aws:sns:us-east-1:000000000000:app/GCM/gochat", CLOCK, client=client)
        assert sender.send(PUSH, timeout_s=5) == TryAgain(reason=reason)
    finally:
        server.over.set()
        server.shutdown()
        server.server_close()
        client.close()


def test_an_endpoint_is_asked_for_once_and_again_when_somebody_has_deleted_it(spy: Spy) -> None:
    sender = provider(spy, "GCM")
    assert [sender.send(PUSH, timeout_s=5) for _ in range(3)] == [Sent()] * 3
    assert spy.made == 1
    spy.delete_endpoint(EndpointArn=spy.published[0]["TargetArn"])
    assert sender.send(PUSH, timeout_s=5) == Sent()
    assert spy.made == 2


def test_a_token_that_has_an_endpoint_with_other_attributes_is_found_by_what_sns_says_of_it(spy: Spy) -> None:
    sender = provider(spy, "GCM")
    application = spy.list_platform_applications()["PlatformApplications"][0]["PlatformApplicationArn"]
    other = spy.create_platform_endpoint(
        PlatformApplicationArn=application, Token=PUSH.token, CustomUserData="somebody else's"
    )
    assert sender.send(PUSH, timeout_s=5) == Sent()
    assert spy.published[0]["TargetArn"] == other["EndpointArn"]


def test_a_token_that_sns_will_not_have_is_dead(spy: Spy, monkeypatch: pytest.MonkeyPatch) -> None:
    sender = provider(spy, "APNS")

    def refuse(**arguments: Any) -> Any:
        error = {"Code": "InvalidParameter", "Message": "Invalid parameter: Token Reason: iOS device tokens must …"}
        raise ClientError({"Error": error, "ResponseMetadata": {"HTTPStatusCode": 400}}, "CreatePlatformEndpoint")  # type: ignore[typeddict-item]

    monkeypatch.setattr(spy, "create_platform_endpoint", refuse)
    assert sender.send(PUSH, timeout_s=5) == TokenDead(reason="invalid_token")
    assert spy.published == []


def test_a_disabled_endpoint_that_can_not_be_deleted_is_dead_all_the_same(
    spy: Spy, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(**arguments: Any) -> Any:
        raise EndpointConnectionError(endpoint_url="https://sns")

    sender = provider(spy, "GCM")
    assert sender.send(PUSH, timeout_s=5) == Sent()
    spy.set_endpoint_attributes(EndpointArn=spy.published[0]["TargetArn"], Attributes={"Enabled": "false"})
    monkeypatch.setattr(spy, "delete_endpoint", refuse, raising=False)
    assert sender.send(PUSH, timeout_s=5) == TokenDead(reason="endpoint_disabled")


def test_the_longest_push_is_within_what_apns_and_fcm_take() -> None:
    longest = msgspec.structs.replace(
        RECORD, title="😀" * MAX_TITLE_CHARACTERS, body="😀" * MAX_BODY_CHARACTERS, seq=Seq((1 << 63) - 1)
    )
    push = Push(record=longest, provider="fcm", token="", badge=2**31)
    assert len(apns_payload(push).encode()) <= MAX_PAYLOAD_BYTES
    assert len(msgspec.json.encode(fcm_message(push))) <= MAX_PAYLOAD_BYTES
