"""What a client may say about push: tokens by the rules of their providers, and preferences."""

import re
from functools import cache
from typing import Annotated, Literal
from urllib.parse import urlsplit
from zoneinfo import available_timezones

import msgspec

from gochat_contracts.accounts import SecretBody
from gochat_core.base64url import decode_base64url
from gochat_core.errors import FieldFault, InvalidRequest

Provider = Literal["apns", "fcm", "webpush"]
Language = Literal["en", "zh"]

MAX_TOKEN_CHARACTERS = 4_096
"""Far above what any provider hands out; endpoints of web push are some hundred characters long."""

WEB_PUSH_HOSTS = (
    "fcm.googleapis.com",
    ".push.services.mozilla.com",
    ".push.apple.com",
    ".notify.windows.com",
)
"""The push services of the browsers there are; nothing of ours posts to a host that a client has thought out."""

_APNS = re.compile(r"(?:[0-9A-Fa-f]{2}){32,100}")
_FCM = re.compile(r"[A-Za-z0-9_:-]{32,1024}")
_MAX_ENDPOINT = 1_024
_P256DH_BYTES = 65
_AUTH_BYTES = 16
"""An uncompressed point of P-256 and 16 octets of secret (RFC 8291, section 3.1 and 3.2)."""

_P256_P = (1 << 256) - (1 << 224) + (1 << 192) + (1 << 96) - 1
_P256_B = 0x5AC635D8_AA3A93E7_B3EBBD55_769886BC_651D06B0_CC53B0F6_3BCE3C3E_27D2604B


class PushTokenBody(SecretBody, frozen=True, kw_only=True):
    """PUT /devices/{device_id}/push-token."""

    provider: Provider
    token: Annotated[str, msgspec.Meta(min_length=1, max_length=MAX_TOKEN_CHARACTERS)]


TimeOfDay = Annotated[str, msgspec.Meta(pattern=r"^(?:[01][0-9]|2[0-3]):[0-5][0-9]\Z")]


class QuietHours(msgspec.Struct, frozen=True, kw_only=True):
    """From when until when nothing may sound, on the user's own clock; over midnight where `end` is the earlier."""

    start: TimeOfDay
    end: TimeOfDay


class PushPreferencesBody(msgspec.Struct, frozen=True, kw_only=True):
    """PUT /users/me/push-preferences: the whole of them; what is absent has its default again."""

    quiet_hours: QuietHours | None = None
    time_zone: Annotated[str, msgspec.Meta(max_length=64)] = "UTC"
    previews: bool = True
    language: Language = "en"


class WebPushKeys(msgspec.Struct, frozen=True, kw_only=True):
    """The keys of a subscription, in base64url (W3C Push API, "PushSubscription")."""

    p256dh: str
    auth: str


class WebPushSubscription(msgspec.Struct, frozen=True, kw_only=True):
    """What a browser's `PushSubscription.toJSON()` gives; the expiration time is told by the push service anyway."""

    endpoint: Annotated[str, msgspec.Meta(max_length=_MAX_ENDPOINT)]
    keys: WebPushKeys


def check_push_token(provider: Provider, token: str) -> str:
    """Return a token as it is kept: hex in lower case, a subscription without what nobody needs.

    Raises `InvalidRequest` naming `token`, without a word of it: tokens are secrets.
    """
    if provider == "apns":
        return _matched(_APNS, token, "must be the device token in hexadecimal, 32 to 100 bytes").lower()
    if provider == "fcm":
        return _matched(_FCM, token, "must be an FCM registration token: 32 to 1024 of A-Z a-z 0-9 _ : -")
    return msgspec.json.encode(_read_subscription(token)).decode()


def token_identity(provider: Provider, token: str) -> str:
    """Return what names the device to its provider: a subscription is its endpoint, whatever its keys are."""
    if provider == "webpush":
        return f"webpush {msgspec.json.decode(token, type=WebPushSubscription).endpoint}"
    return f"{provider} {token}"


def check_push_preferences(body: PushPreferencesBody) -> None:
    """Raise `InvalidRequest` for a zone that is none, and for quiet hours without an hour."""
    faults = []
    if body.time_zone not in _time_zones():
        faults.append(FieldFault(field="time_zone", message="must name a zone of the IANA database, as Asia/Shanghai"))
    if body.quiet_hours is not None and body.quiet_hours.start == body.quiet_hours.end:
        faults.append(FieldFault(field="quiet_hours.end", message="must differ from start; null means none"))
    if faults:
        raise InvalidRequest(faults=faults)


def find_push_service(endpoint: str) -> str | None:
    """Return the entry of WEB_PUSH_HOSTS that an endpoint belongs to, None for what is none of a push service."""
    if not endpoint.isascii() or not endpoint.isprintable() or " " in endpoint:
        return None
    try:
        url = urlsplit(endpoint)
        port = url.port
    except ValueError:
        return None
    if url.scheme != "https" or port not in (None, 443) or url.username is not None:
        return None
    host = url.hostname or ""
    return next(
        (known for known in WEB_PUSH_HOSTS if host == known or (known.startswith(".") and host.endswith(known))), None
    )


def minutes_of(time_of_day: str) -> int:
    """Return the minutes since midnight."""
    hours, minutes = time_of_day.split(":")
    return int(hours) * 60 + int(minutes)


def write_time_of_day(minutes: int) -> str:
    """Write minutes since midnight as `HH:MM`."""
    return f"{minutes // 60:02}:{minutes % 60:02}"


@cache
def _time_zones() -> frozenset[str]:
    # What a machine calls its own zone is none that everybody knows.
    return frozenset(available_timezones() - {"localtime", "posixrules", "Factory"})


def _matched(pattern: re.Pattern[str], token: str, message: str) -> str:
    if not pattern.fullmatch(token):
        raise _bad_token(message)
    return token


def _read_subscription(token: str) -> WebPushSubscription:
    try:
        subscription = msgspec.json.decode(token, type=WebPushSubscription)
    except (msgspec.MsgspecError, UnicodeError, RecursionError):
        raise _bad_token("must be a PushSubscription as JSON: endpoint and keys (p256dh, auth)") from None
    if find_push_service(subscription.endpoint) is None:
        raise _bad_token("must have an https endpoint of a browser's push service")
    point, secret = _decoded(subscription.keys.p256dh), _decoded(subscription.keys.auth)
    if not _is_on_curve(point) or len(secret) != _AUTH_BYTES:
        raise _bad_token("must have keys in base64url: p256dh, a point of P-256 in 65 bytes, and auth, 16 bytes")
    return subscription


def _decoded(text: str) -> bytes:
    """Return what a base64url text, padded or not, stands for; nothing for what is none."""
    if not re.fullmatch(r"[A-Za-z0-9_-]{1,128}={0,2}", text):
        return b""
    try:
        return decode_base64url(text.rstrip("="))
    except ValueError:
        return b""


def _is_on_curve(point: bytes) -> bool:
    """Tell whether bytes are an uncompressed point of P-256: y^2 = x^3 - 3x + b (NIST SP 800-186, section 3.2.1.3)."""
    if len(point) != _P256DH_BYTES or point[0] != 4:
        return False
    x, y = int.from_bytes(point[1:33]), int.from_bytes(point[33:])
    return x < _P256_P and y < _P256_P and (y * y - (x**3 - 3 * x + _P256_B)) % _P256_P == 0


def _bad_token(message: str) -> InvalidRequest:
    return InvalidRequest(faults=[FieldFault(field="token", message=message)])
