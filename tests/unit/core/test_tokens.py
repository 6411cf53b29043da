import json
from base64 import urlsafe_b64encode

import jwt
import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import load_pem_private_key

from gochat_core.errors import TokenExpired, Unauthenticated
from gochat_core.token_signing import RefreshToken, TokenSecret, TokenSigner, parse_refresh_token, parse_token_secret
from gochat_core.tokens import Identity, TokenVerifier
from gochat_core.types import DeviceId, SessionId, UserId
from tests.fakes.clock import SettableClock
from tests.fakes.token_keys import make_token_secret, make_token_secret_json, public_jwks

ALICE = UserId(7_000_000_000_000_000_001)
PHONE = DeviceId("phone")
SESSION = SessionId(7_000_000_000_000_000_002)
SECRET = make_token_secret()
SIGNER = TokenSigner(SECRET)


@pytest.fixture
def clock() -> SettableClock:
    return SettableClock()


@pytest.fixture
def verifier(clock: SettableClock) -> TokenVerifier:
    return TokenVerifier(public_jwks(SECRET), clock)


def access_token(clock: SettableClock) -> str:
    return SIGNER.access_token(ALICE, PHONE, SESSION, issued_at_ms=clock.now)


def forged(header: dict[str, object], claims: dict[str, object], key: Ed25519PrivateKey | None = None) -> str:
    """Sign by hand whatever a library would refuse to."""
    parts = [urlsafe_b64encode(json.dumps(part).encode()).rstrip(b"=") for part in (header, claims)]
    signed = b".".join(parts)
    signature = (key or private_key(SECRET)).sign(signed)
    return (signed + b"." + urlsafe_b64encode(signature).rstrip(b"=")).decode()


def private_key(secret: TokenSecret) -> Ed25519PrivateKey:
    key = load_pem_private_key(secret.keys[0].private_pem.encode(), password=None)
    assert isinstance(key, Ed25519PrivateKey)
    return key


def good_claims(clock: SettableClock, **other: object) -> dict[str, object]:
    now_s = clock.now // 1000
    claims = {"aud": "gochat-access", "sub": "7", "sid": "8", "did": "phone", "iat": now_s, "exp": now_s + 900}
    return {**claims, **other}


def test_an_access_token_tells_who_and_until_when(verifier: TokenVerifier, clock: SettableClock) -> None:
    assert verifier.verify_access_token(access_token(clock)) == Identity(
        user_id=ALICE, device_id=PHONE, session_id=SESSION, expires_at_ms=clock.now + 900_000
    )


def test_the_same_arguments_give_the_same_access_token(clock: SettableClock) -> None:
    assert access_token(clock) == access_token(clock)


def test_any_jwt_library_can_verify_an_access_token(clock: SettableClock) -> None:
    public = private_key(SECRET).public_key()
    options: jwt.types.Options = {"verify_exp": False, "verify_iat": False}
    claims = jwt.decode(access_token(clock), public, algorithms=["EdDSA"], audience="gochat-access", options=options)
    assert claims["sub"] == str(ALICE)


def test_an_access_token_expires(verifier: TokenVerifier, clock: SettableClock) -> None:
    token = access_token(clock)
    clock.advance_ms(900_000)
    verifier.verify_access_token(token)  # clocks may differ by the leeway
    clock.advance_ms(5_000)
    with pytest.raises(TokenExpired):
        verifier.verify_access_token(token)


def test_a_token_of_the_future_is_refused(verifier: TokenVerifier, clock: SettableClock) -> None:
    token = access_token(clock)
    clock.advance_ms(-60_000)
    with pytest.raises(Unauthenticated):
        verifier.verify_access_token(token)


def test_a_ticket_carries_an_id_of_its_own_and_lives_a_minute(verifier: TokenVerifier, clock: SettableClock) -> None:
    tokens = [SIGNER.ticket(ALICE, PHONE, SESSION, issued_at_ms=clock.now) for _ in range(2)]
    tickets = [verifier.verify_ticket(token) for token in tokens]
    assert tickets[0].ticket_id != tickets[1].ticket_id
    assert tickets[0].identity.expires_at_ms == clock.now + 60_000
    clock.advance_ms(65_000)
    with pytest.raises(TokenExpired):
        verifier.verify_ticket(tokens[0])


def test_a_ticket_is_no_access_token_and_the_other_way_round(verifier: TokenVerifier, clock: SettableClock) -> None:
    with pytest.raises(Unauthenticated):
        verifier.verify_access_token(SIGNER.ticket(ALICE, PHONE, SESSION, issued_at_ms=clock.now))
    with pytest.raises(Unauthenticated):
        verifier.verify_ticket(access_token(clock))


def test_a_key_that_no_longer_signs_still_verifies(clock: SettableClock) -> None:
    verifier = TokenVerifier(public_jwks(make_token_secret("k-new"), SECRET), clock)
    assert verifier.verify_access_token(access_token(clock)).user_id == ALICE


def test_every_changed_character_of_a_token_is_noticed(verifier: TokenVerifier, clock: SettableClock) -> None:
    token = access_token(clock)
    # Of the last character, base64 uses a part of the bits only: the one that decodes to the same is no change.
    for place in range(len(token) - 1):
        other = token[:place] + ("A" if token[place] != "A" else "B") + token[place + 1 :]
        with pytest.raises(Unauthenticated):
            verifier.verify_access_token(other)


@pytest.mark.parametrize(
    "token",
    ["", ".", "..", "a.b.c", "a.b.c.d", "é.é.é", "x" * 5000, "eyJhbGciOiJub25lIn0..", "e30.e30.e30", "AA==.AA.AA"],
)
def test_what_is_no_token_is_refused(verifier: TokenVerifier, token: str) -> None:
    with pytest.raises(Unauthenticated):
        verifier.verify_access_token(token)


@pytest.mark.parametrize(
    "header",
    [
        {"alg": "none", "kid": "k-test"},
        {"alg": "HS256", "kid": "k-test"},
        {"alg": "EdDSA", "kid": "k-other"},
        {"alg": "EdDSA"},
        {"kid": "k-test"},
    ],
)
def test_algorithm_and_key_are_not_the_senders_choice(
    verifier: TokenVerifier, clock: SettableClock, header: dict[str, object]
) -> None:
    with pytest.raises(Unauthenticated):
        verifier.verify_access_token(forged(header, good_claims(clock)))


def test_another_key_under_our_name_is_refused(verifier: TokenVerifier, clock: SettableClock) -> None:
    with pytest.raises(Unauthenticated):
        verifier.verify_access_token(
            forged({"alg": "EdDSA", "kid": "k-test"}, good_claims(clock), Ed25519PrivateKey.generate())
        )


@pytest.mark.parametrize(
    "wrong",
    [{"sub": "x"}, {"sub": ""}, {"sid": "9" * 20}, {"sub": "٣"}, {"aud": "else"}, {"exp": "soon"}, {"did": None}],
)
def test_claims_of_another_form_are_refused_even_when_signed(
    verifier: TokenVerifier, clock: SettableClock, wrong: dict[str, object]
) -> None:
    header: dict[str, object] = {"alg": "EdDSA", "kid": "k-test"}
    verifier.verify_access_token(forged(header, good_claims(clock)))
    with pytest.raises(Unauthenticated):
        verifier.verify_access_token(forged(header, good_claims(clock, **wrong)))


@pytest.mark.parametrize(
    "jwks",
    ['{"keys":[]}', '{"keys":[{"kty":"RSA","crv":"Ed25519","kid":"a","x":"AA"}]}', "no json", '{"keys":[{"kid":"a"}]}'],
)
def test_a_set_without_usable_keys_does_not_start(jwks: str, clock: SettableClock) -> None:
    with pytest.raises(ValueError):  # noqa: PT011 - msgspec's own is one
        TokenVerifier(jwks, clock)


def test_a_refresh_token_can_be_derived_again_and_recognised() -> None:
    salt = b"s" * 16
    token = parse_refresh_token(SIGNER.refresh_token(SESSION, 3, salt))
    assert (token.session_id, token.generation) == (SESSION, 3)
    assert SIGNER.is_genuine(token, salt)
    assert SIGNER.refresh_token(SESSION, 3, salt) == SIGNER.refresh_token(SESSION, 3, salt)


def test_a_refresh_token_of_other_parts_is_not_genuine() -> None:
    salt = b"s" * 16
    token = parse_refresh_token(SIGNER.refresh_token(SESSION, 3, salt))
    others = [
        RefreshToken(session_id=SESSION, generation=4, mac=token.mac),
        RefreshToken(session_id=SessionId(SESSION + 1), generation=3, mac=token.mac),
        RefreshToken(session_id=SESSION, generation=3, mac=bytes(32)),
    ]
    assert not any(SIGNER.is_genuine(other, salt) for other in others)
    assert not SIGNER.is_genuine(token, b"t" * 16)
    assert not TokenSigner(make_token_secret()).is_genuine(token, salt)


@pytest.mark.parametrize("text", ["", "AQ", "é", "A" * 60, "====", "Ag" + "A" * 58])
def test_what_can_be_no_refresh_token_is_refused(text: str) -> None:
    with pytest.raises(Unauthenticated):
        parse_refresh_token(text)


def test_the_secret_never_shows_in_its_text_form_or_its_errors() -> None:
    assert "PRIVATE" not in repr(SECRET)
    assert SECRET.refresh_key not in repr(SECRET)
    broken = make_token_secret_json().replace('"signing_kid"', '"kid"')
    with pytest.raises(ValueError, match="not of the form") as raised:
        parse_token_secret(broken)
    assert raised.value.__cause__ is None
