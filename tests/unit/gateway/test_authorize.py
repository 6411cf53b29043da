"""Who may open a WebSocket: every way to show a credential, every way to show a bad one."""

import json
from typing import Any

import pytest

from gateway.authorize import handler
from gateway.authorize.handler import Unauthorized
from gateway.authorize.wiring import Wiring
from gochat_core.logs import make_logger
from gochat_core.token_signing import TokenSigner
from gochat_core.tokens import ACCESS_LIFETIME_S, TICKET_LIFETIME_S, TokenVerifier
from gochat_core.types import DeviceId, SessionId, UserId
from tests.fakes.clock import SettableClock
from tests.fakes.token_keys import make_token_secret, public_jwks

ALICE, PHONE, LOGIN = UserId(7_340_032_000), DeviceId("phone:1"), SessionId(99)
METHOD_ARN = "arn:aws:execute-api:eu-west-1:000000000000:0c4a7001/dev/$connect"


@pytest.fixture
def clock() -> SettableClock:
    return SettableClock()


@pytest.fixture
def signer(clock: SettableClock, monkeypatch: pytest.MonkeyPatch) -> TokenSigner:
    secret = make_token_secret()
    parts = Wiring(verifier=TokenVerifier(public_jwks(secret), clock), logger=make_logger("gateway-authorize"))
    monkeypatch.setattr(handler, "wiring", lambda: parts)
    return TokenSigner(secret)


def handshake(*headers: tuple[str, str], **query: list[str]) -> dict[str, Any]:
    many: dict[str, list[str]] = {"Host": ["ws.example.org"]}
    for name, value in headers:
        many.setdefault(name, []).append(value)
    return {
        "type": "REQUEST",
        "methodArn": METHOD_ARN,
        "headers": {name: values[-1] for name, values in many.items()},
        "multiValueHeaders": many,
        **({"multiValueQueryStringParameters": query} if query else {}),
        "requestContext": {"eventType": "CONNECT", "requestId": "r-1", "connectionId": "c="},
    }


def access_token(signer: TokenSigner, clock: SettableClock) -> str:
    return signer.access_token(ALICE, PHONE, LOGIN, issued_at_ms=clock.now_ms())


def ticket(signer: TokenSigner, clock: SettableClock) -> str:
    return signer.ticket(ALICE, PHONE, LOGIN, issued_at_ms=clock.now_ms())


def assert_refused(event: dict[str, Any]) -> None:
    with pytest.raises(Unauthorized) as raised:
        handler.handle(event, None)
    assert str(raised.value) == "Unauthorized", "any other message makes API Gateway answer 500"


@pytest.mark.parametrize("name", ["Authorization", "authorization"])
@pytest.mark.parametrize("scheme", ["Bearer", "bearer"])
def test_a_header_lets_in_and_the_context_says_who(
    signer: TokenSigner, clock: SettableClock, name: str, scheme: str
) -> None:
    answer = handler.handle(handshake((name, f"{scheme} {access_token(signer, clock)}")), None)

    assert answer["principalId"] == str(ALICE)
    assert answer["context"] == {
        "user_id": str(ALICE),
        "device_id": PHONE,
        "session_id": str(LOGIN),
        "expires_at_ms": str(clock.now_ms() + ACCESS_LIFETIME_S * 1000),
    }


def test_the_policy_allows_every_route_of_this_stage_and_nothing_else(
    signer: TokenSigner, clock: SettableClock
) -> None:
    answer = handler.handle(handshake(("Authorization", f"Bearer {access_token(signer, clock)}")), None)

    (statement,) = answer["policyDocument"]["Statement"]
    assert statement == {
        "Action": "execute-api:Invoke",
        "Effect": "Allow",
        "Resource": "arn:aws:execute-api:eu-west-1:000000000000:0c4a7001/dev/*",
    }


@pytest.mark.parametrize("lines", [["gochat.v1, bearer.{}"], ["gochat.v1", "bearer.{}"], ["other,bearer.{},gochat.v1"]])
def test_a_browser_shows_its_token_as_a_subprotocol(
    signer: TokenSigner, clock: SettableClock, lines: list[str]
) -> None:
    token = access_token(signer, clock)
    headers = [("Sec-WebSocket-Protocol", line.format(token)) for line in lines]

    assert handler.handle(handshake(*headers), None)["principalId"] == str(ALICE)


def test_a_ticket_lets_in_and_the_context_names_it(signer: TokenSigner, clock: SettableClock) -> None:
    answer = handler.handle(handshake(ticket=[ticket(signer, clock)]), None)

    assert answer["context"]["ticket_id"]
    assert answer["context"]["expires_at_ms"] == str(clock.now_ms() + TICKET_LIFETIME_S * 1000)


def test_nothing_shown_is_refused(signer: TokenSigner) -> None:
    assert_refused(handshake())
    assert_refused(handshake(("Sec-WebSocket-Protocol", "gochat.v1")))
    assert_refused(handshake(("Sec-WebSocket-Protocol", "gochat.v1, bearer.")))
    assert_refused(handshake(("Authorization", "")))
    assert_refused(handshake(ticket=[""]))


def test_a_token_in_the_wrong_place_is_refused(signer: TokenSigner, clock: SettableClock) -> None:
    token, once = access_token(signer, clock), ticket(signer, clock)
    assert_refused(handshake(("Authorization", f"Bearer {once}")))
    assert_refused(handshake(("Authorization", f"Basic {token}")))
    assert_refused(handshake(("Authorization", token)))
    assert_refused(handshake(ticket=[token]))
    assert_refused(handshake(("Sec-WebSocket-Protocol", f"bearer.{token}")))
    assert_refused(handshake(("Sec-WebSocket-Protocol", f"gochat.v1, bearer.{once}")))


def test_two_credentials_of_one_kind_are_refused(signer: TokenSigner, clock: SettableClock) -> None:
    token, once = access_token(signer, clock), ticket(signer, clock)
    assert_refused(handshake(("Authorization", f"Bearer {token}"), ("Authorization", f"Bearer {token}")))
    assert_refused(handshake(("Sec-WebSocket-Protocol", f"gochat.v1, bearer.{token}, bearer.{token}")))
    assert_refused(handshake(ticket=[once, once]))


def test_a_bad_header_is_not_saved_by_a_good_ticket(signer: TokenSigner, clock: SettableClock) -> None:
    assert_refused(handshake(("Authorization", "Bearer nonsense"), ticket=[ticket(signer, clock)]))


def test_expired_and_foreign_tokens_are_refused(signer: TokenSigner, clock: SettableClock) -> None:
    token, once = access_token(signer, clock), ticket(signer, clock)
    foreign = TokenSigner(make_token_secret()).access_token(ALICE, PHONE, LOGIN, issued_at_ms=clock.now_ms())
    assert_refused(handshake(("Authorization", f"Bearer {foreign}")))
    clock.advance_ms((TICKET_LIFETIME_S + 10) * 1000)
    assert_refused(handshake(ticket=[once]))
    clock.advance_ms(ACCESS_LIFETIME_S * 1000)
    assert_refused(handshake(("Authorization", f"Bearer {token}")))


def test_no_log_line_holds_a_credential(
    signer: TokenSigner, clock: SettableClock, caplog: pytest.LogCaptureFixture
) -> None:
    token, once = access_token(signer, clock), ticket(signer, clock)
    handler.handle(handshake(("Authorization", f"Bearer {token}")), None)
    handler.handle(handshake(ticket=[once]), None)
    assert_refused(handshake(("Authorization", f"Bearer {token}x")))

    told = json.dumps([record.__dict__ for record in caplog.records], default=str)
    assert len(caplog.records) == 3
    assert token.split(".")[1] not in told
    assert once.split(".")[1] not in told
