"""Web push against a browser and a push service over real HTTPS."""

import base64
import json
from collections.abc import Iterator
from email.utils import formatdate
from pathlib import Path
from typing import Any

import msgspec
import pytest
from cryptography.hazmat.primitives.asymmetric import ec

from cdk_app.custom_resources.vapid_key import make_key, public_key
from gochat_core.base64url import decode_base64url
from gochat_core.errors import Unavailable
from task.push.providers.payloads import webpush_payload
from task.push.providers.provider import Push, Refused, Sent, TokenDead, TryAgain
from task.push.providers.webpush import MAX_WAIT_S, WebPushProvider
from task.push.providers.webpush_encryption import MAX_PLAINTEXT_BYTES, Draw, encrypt, pad
from task.worker.push_texts import MAX_BODY_CHARACTERS, MAX_TITLE_CHARACTERS
from tests.contract.test_push_providers import CLOCK, RECORD
from tests.fakes.push_service import GOOGLE, MOZILLA, Browser, PushService, serving

PEM = make_key()
CONTACT = "mailto:ops@example.org"


@pytest.fixture
def service(tmp_path: Path) -> Iterator[PushService]:
    with serving(tmp_path) as running:
        yield running


@pytest.fixture
def browser() -> Browser:
    return Browser()


@pytest.fixture
def provider(service: PushService) -> Iterator[WebPushProvider]:
    made = WebPushProvider(
        lambda: json.dumps({"private_pem": PEM}), contact=CONTACT, clock=CLOCK, connect=service.connect
    )
    yield made
    made.close()


def push_to(browser: Browser, **changes: Any) -> Push:
    record = msgspec.structs.replace(RECORD, **changes)
    return Push(record=record, provider="webpush", token=browser.subscription(), badge=3)


def test_a_browser_reads_what_its_push_service_can_not(
    service: PushService, browser: Browser, provider: WebPushProvider
) -> None:
    assert provider.send(push_to(browser), timeout_s=5) == Sent()
    (posted,) = service.posted
    assert b"hello" not in posted.body
    assert browser.decrypt(posted.body) == {
        "title": "Alice",
        "body": "hello",
        "badge": 3,
        "tag": RECORD.conversation_id,
        "silent": False,
        "conversation_id": RECORD.conversation_id,
        "seq": "7",
    }
    assert posted.target == browser.path
    told = {name: posted.headers[name] for name in ("ttl", "urgency", "topic", "content-encoding")}
    assert told == {
        "ttl": "86400",
        "urgency": "high",
        "topic": RECORD.conversation_id,
        "content-encoding": "aes128gcm",
    }
    now_s = CLOCK.now_ms() // 1000
    claims = posted.claims(public_key(PEM))
    assert (claims["sub"], claims["aud"]) == (CONTACT, f"https://{MOZILLA}")
    assert now_s < claims["exp"] <= now_s + 24 * 3600


def test_what_is_silent_is_not_urgent(service: PushService, browser: Browser, provider: WebPushProvider) -> None:
    provider.send(push_to(browser, kind="silent"), timeout_s=5)
    assert service.posted[0].headers["urgency"] == "low"
    assert browser.decrypt(service.posted[0].body)["silent"] is True


def test_no_two_messages_share_a_key_and_their_length_tells_little(
    service: PushService, browser: Browser, provider: WebPushProvider
) -> None:
    for text in ("ok", "ok", "a good deal longer than that"):
        assert provider.send(push_to(browser, body=text), timeout_s=5) == Sent()
    heads = {posted.body[:86] for posted in service.posted}
    assert (len(heads), len({len(posted.body) for posted in service.posted})) == (3, 1)


def test_the_longest_push_is_within_what_every_push_service_takes(
    service: PushService, browser: Browser, provider: WebPushProvider
) -> None:
    longest = push_to(browser, title='"' * MAX_TITLE_CHARACTERS, body="😀" * MAX_BODY_CHARACTERS, seq=(1 << 63) - 1)
    assert len(webpush_payload(longest)) <= MAX_PLAINTEXT_BYTES
    assert provider.send(longest, timeout_s=5) == Sent()
    assert len(service.posted[0].body) <= 4_096


def test_the_example_of_the_rfc_comes_out_byte_by_byte() -> None:
    """RFC 8291, section 5 and appendix A."""
    private = int.from_bytes(decode_base64url("yfWPiYE-n46HLnH0KqZOF1fJJU3MYrct3AELtAQ-oRw"))
    body = encrypt(
        b"When I grow up, I want to be a watermelon",
        p256dh=decode_base64url(
            "BCVxsr7N_eNgVRqvHtD0zTZsEc6-VV-JvLexhqUzORcxaOzi6-AYWXvTBHm4bjyPjs7Vd8pZGH6SRpkNtoIAiw4"
        ),
        auth=decode_base64url("BTBZMqHH6r4Tts7J_aSIgg"),
        drawn=Draw(ec.derive_private_key(private, ec.SECP256R1()), decode_base64url("DGv6ra1nlYgDCS1FRnbzlw")),
    )
    expected = (
        "DGv6ra1nlYgDCS1FRnbzlwAAEABBBP4z9KsN6nGRTbVYI_c7VJSPQTBtkgcy27mlmlMoZIIgDll6e3vCYLocInmYWAmS6TlzAC8wEqKK6PBru"
        "3jl7A_yl95bQpu6cVPTpK4Mqgkf1CXztLVBSt2Ks3oZwbuwXPXLWyouBWLVWGNWQexSgSxsj_Qulcy4a-fN"
    )
    assert base64.urlsafe_b64encode(body).rstrip(b"=").decode() == expected


def test_padding_never_makes_too_long_what_was_not() -> None:
    assert [len(pad(b"x" * length)) for length in (1, 1_024, 1_025, MAX_PLAINTEXT_BYTES)] == [
        1_024,
        1_024,
        2_048,
        MAX_PLAINTEXT_BYTES,
    ]


@pytest.mark.parametrize(
    ("status", "headers", "answer"),
    [
        (200, {}, Sent()),
        (202, {}, Sent()),
        (404, {}, TokenDead(reason="http_404")),
        (410, {}, TokenDead(reason="http_410")),
        (413, {}, Refused(reason="http_413")),
        (400, {}, Refused(reason="http_400")),
        (401, {}, Refused(reason="http_401")),
        (403, {}, Refused(reason="http_403")),
        (307, {"Location": "https://127.0.0.1/"}, Refused(reason="http_307")),
        (429, {"Retry-After": "17"}, TryAgain(reason="http_429", after_s=17)),
        (429, {}, TryAgain(reason="http_429")),
        (406, {"Retry-After": "5"}, TryAgain(reason="http_406", after_s=5)),
        (500, {}, TryAgain(reason="http_500")),
        (503, {"Retry-After": "999999999999"}, TryAgain(reason="http_503", after_s=MAX_WAIT_S)),
        (503, {"Retry-After": "-1"}, TryAgain(reason="http_503")),
        (503, {"Retry-After": "soon"}, TryAgain(reason="http_503")),
    ],
)
def test_each_answer_of_a_push_service_means_what_the_rfc_says(
    service: PushService,
    browser: Browser,
    provider: WebPushProvider,
    status: int,
    headers: dict[str, str],
    answer: Any,
) -> None:
    service.answers.append((status, headers))
    assert provider.send(push_to(browser), timeout_s=5) == answer
    assert len(service.posted) == 1, "no redirect is followed, and nothing is sent twice here"


def test_a_date_to_come_back_at_is_understood(
    service: PushService, browser: Browser, provider: WebPushProvider
) -> None:
    service.answers.append((429, {"Retry-After": formatdate(CLOCK.now_ms() // 1000 + 90, usegmt=True)}))
    answer = provider.send(push_to(browser), timeout_s=5)
    assert isinstance(answer, TryAgain)
    assert 89 <= answer.after_s <= 91


def test_a_push_service_that_hangs_costs_the_time_there_is_and_no_more(
    service: PushService, browser: Browser, provider: WebPushProvider
) -> None:
    service.hangs = True
    assert provider.send(push_to(browser), timeout_s=0.3) == TryAgain(reason="timeout")


def test_garbage_is_no_answer(service: PushService, browser: Browser, provider: WebPushProvider) -> None:
    service.garbage = True
    assert isinstance(provider.send(push_to(browser), timeout_s=5), TryAgain)


def test_a_connection_is_used_again_and_replaced_when_it_has_ended(
    service: PushService, browser: Browser, provider: WebPushProvider
) -> None:
    for _ in range(3):
        assert provider.send(push_to(browser), timeout_s=5) == Sent()
    assert service.opened == 1
    service.closes = True
    for _ in range(3):
        assert provider.send(push_to(browser), timeout_s=5) == Sent()
    assert len(service.posted) == 6
    assert service.opened > 1


def test_nobody_is_posted_to_who_can_not_show_the_host_s_certificate(
    service: PushService, provider: WebPushProvider
) -> None:
    """Whatever address a name leads to: one in a private network has no such certificate."""
    browser = Browser(host="web.push.apple.com")
    assert provider.send(push_to(browser), timeout_s=5) == TryAgain(reason="SSLCertVerificationError")
    assert service.posted == []


@pytest.mark.parametrize("host", ["127.0.0.1", "169.254.169.254", "example.org", f"{MOZILLA}:8443"])
def test_a_host_that_is_no_push_service_is_never_posted_to_whatever_the_database_says(
    service: PushService, provider: WebPushProvider, host: str
) -> None:
    assert provider.send(push_to(Browser(host=host)), timeout_s=5) == TokenDead(reason="unknown_push_service")
    assert service.opened == 0


def test_keys_that_are_none_make_a_dead_token(provider: WebPushProvider) -> None:
    subscription = json.loads(Browser().subscription())
    subscription["keys"]["p256dh"] = "B" + "A" * 86
    push = Push(record=RECORD, provider="webpush", token=json.dumps(subscription), badge=0)
    assert provider.send(push, timeout_s=5) == TokenDead(reason="bad_keys")


def test_while_the_key_can_not_be_read_the_push_comes_again(service: PushService, browser: Browser) -> None:
    def read() -> str:
        raise Unavailable

    provider = WebPushProvider(read, contact=CONTACT, clock=CLOCK, connect=service.connect)
    assert provider.send(push_to(browser), timeout_s=5) == TryAgain(reason="no_key")


def test_push_services_of_different_makers_are_told_apart(provider: WebPushProvider) -> None:
    hosts = (MOZILLA, GOOGLE, "wns2-par02p.notify.windows.com", "db5p.notify.windows.com")
    services = [provider.service(push_to(Browser(host=host))) for host in hosts]
    assert len(set(services)) == 3
    assert services[2] == services[3]


def test_neither_token_nor_key_shows_itself(browser: Browser) -> None:
    assert browser.subscription() not in repr(push_to(browser))
