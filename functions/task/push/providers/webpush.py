"""Sends to browsers through their push services: encrypted for the one browser, signed with this deployment's key."""

import http.client
import ssl
import time
from collections.abc import Callable
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from threading import Lock
from urllib.parse import urlsplit

import msgspec

from gochat_contracts.push_settings import WebPushSubscription, find_push_service
from gochat_core.base64url import decode_base64url
from gochat_core.clock import Clock
from gochat_core.errors import Unavailable
from task.push.providers.payloads import webpush_payload, webpush_urgency
from task.push.providers.provider import Answer, Push, Refused, Sent, TokenDead, TryAgain
from task.push.providers.webpush_encryption import Vapid, VapidKey, draw, encrypt, pad

MAX_WAIT_S = 3_600.0
"""Of what a push service asks to wait: whatever it says, it is tried again within the hour."""

_KEPT = 8
"""Idle connections to one push service."""

_IDLE_LIMIT_S = 15.0
"""A connection unused for longer is replaced: while a container is frozen the far end closes without our seeing it."""

_RESPONSE_BYTES = 65_536
"""What is read of an answer, to use its connection again; what is longer ends with its connection."""

_DEAD = (404, 410)
"""The subscription has ended (RFC 8030, section 7.3)."""

_BUSY = (406, 429)
"""RFC 8030, section 8.4; the one of Windows says 406 when it means 429."""

Connect = Callable[[str, float], http.client.HTTPConnection]


class WebPushProvider:
    """All push services of browsers; `read_key` returns the secret's text and may raise Unavailable."""

    def __init__(
        self, read_key: Callable[[], str], *, contact: str, clock: Clock, connect: Connect | None = None
    ) -> None:
        self._clock = clock
        self._connect = connect or _connector()
        self._idle: dict[str, list[tuple[float, http.client.HTTPConnection]]] = {}
        self._lock = Lock()

        self._contact = contact
        self._read_key = read_key
        self._made: tuple[str, Vapid] | None = None

    def service(self, push: Push) -> str:
        """Name the push service: the browsers' makers fail apart from each other."""
        return find_push_service(_subscription(push).endpoint) or ""

    def send(self, push: Push, *, timeout_s: float) -> Answer:
        """Post to the subscription's endpoint, which is never anything but a known push service's."""
        subscription = _subscription(push)
        # Once more, right before the post: what stands in the database may be older than the list of hosts.
        if find_push_service(subscription.endpoint) is None:
            return TokenDead(reason="unknown_push_service")
        try:
            body = _body(push, subscription)
        except ValueError:
            return TokenDead(reason="bad_keys")
        url = urlsplit(subscription.endpoint)
        try:
            authorization = self._vapid().authorization(f"https://{url.hostname}")
        except Unavailable:
            return TryAgain(reason="no_key")
        target = f"{url.path or '/'}{'?' + url.query if url.query else ''}"
        headers = {**self._headers(push), "Authorization": authorization}
        try:
            status, retry_after = self._post(str(url.hostname), target, body, headers, timeout_s)
        except TimeoutError:
            return TryAgain(reason="timeout")
        except (OSError, http.client.HTTPException) as fault:
            return TryAgain(reason=type(fault).__name__)
        return _judge(status, retry_after, now_ms=self._clock.now_ms())

    def close(self) -> None:
        """Close the idle connections; the next push opens another."""
        with self._lock:
            for idle in self._idle.values():
                while idle:
                    idle.pop()[1].close()

    def _headers(self, push: Push) -> dict[str, str]:
        ttl_s = max(0, (push.record.expires_at_ms - self._clock.now_ms()) // 1000)
        return {
            "TTL": str(ttl_s),
            "Urgency": webpush_urgency(push),
            # At most 32 of the letters of base64url (RFC 8030, section 5.4), as a conversation's id is.
            "Topic": push.collapse_id,
            "Content-Type": "application/octet-stream",
            "Content-Encoding": "aes128gcm",
        }

    def _post(
        self, host: str, target: str, body: bytes, headers: dict[str, str], timeout_s: float
    ) -> tuple[int, str | None]:
        """Return status and Retry-After; a kept connection that has ended meanwhile is replaced, once."""
        kept = self._take(host)
        if kept is not None:
            try:
                return self._exchange(kept, host, target, body, headers, timeout_s)
            except (ConnectionError, ssl.SSLEOFError):  # RemoteDisconnected is a ConnectionError
                kept.close()
        return self._exchange(self._connect(host, timeout_s), host, target, body, headers, timeout_s)

    def _exchange(
        self,
        connection: http.client.HTTPConnection,
        host: str,
        target: str,
        body: bytes,
        headers: dict[str, str],
        timeout_s: float,
    ) -> tuple[int, str | None]:
        is_whole = False
        try:
            if connection.sock is not None:
                connection.sock.settimeout(timeout_s)
            connection.request("POST", target, body=body, headers=headers)
            response = connection.getresponse()
            response.read(_RESPONSE_BYTES)
            is_whole = response.isclosed()
            return response.status, response.getheader("Retry-After")
        finally:
            if not is_whole or not self._keep(host, connection):
                connection.close()

    def _vapid(self) -> Vapid:
        """Return the signer of the key that the secret holds now. Raises Unavailable."""
        text = self._read_key()
        if self._made is None or self._made[0] != text:
            key = msgspec.json.decode(text, type=VapidKey)
            self._made = text, Vapid(key, contact=self._contact, now_s=lambda: self._clock.now_ms() / 1000)
        return self._made[1]

    def _take(self, host: str) -> http.client.HTTPConnection | None:
        with self._lock:
            idle = self._idle.get(host, [])
            while idle:
                since_s, connection = idle.pop()
                if time.monotonic() - since_s < _IDLE_LIMIT_S:
                    return connection
                connection.close()
            return None

    def _keep(self, host: str, connection: http.client.HTTPConnection) -> bool:
        if connection.sock is None:
            return False
        with self._lock:
            idle = self._idle.setdefault(host, [])
            if len(idle) >= _KEPT:
                return False
            idle.append((time.monotonic(), connection))
            return True


def _connector() -> Connect:
    """Return what connects by TLS; one context for all, because making it reads the CA bundle."""
    context = ssl.create_default_context()
    return lambda host, timeout_s: http.client.HTTPSConnection(host, timeout=timeout_s, context=context)


def _subscription(push: Push) -> WebPushSubscription:
    return msgspec.json.decode(push.token, type=WebPushSubscription)


def _body(push: Push, subscription: WebPushSubscription) -> bytes:
    keys = subscription.keys
    return encrypt(
        pad(webpush_payload(push)),
        p256dh=decode_base64url(keys.p256dh.rstrip("=")),
        auth=decode_base64url(keys.auth.rstrip("=")),
        drawn=draw(),
    )


def _judge(status: int, retry_after: str | None, *, now_ms: int) -> Answer:
    if 200 <= status < 300:
        return Sent()
    reason = f"http_{status}"
    if status in _DEAD:
        return TokenDead(reason=reason)
    if status in _BUSY or status >= 500:
        return TryAgain(reason=reason, after_s=_wait_s(retry_after, now_ms=now_ms))
    # 413 and 400 are this push's fault, 401 and 403 that of this deployment's keys; redirects are not followed.
    return Refused(reason=reason)


def _wait_s(retry_after: str | None, *, now_ms: int) -> float:
    """Read Retry-After: seconds, or a date (RFC 9110, section 10.2.3); what is neither asks for nothing."""
    if retry_after is None:
        return 0.0
    if retry_after.isascii() and retry_after.isdigit():
        return min(float(retry_after[:9]), MAX_WAIT_S)
    try:
        at = parsedate_to_datetime(retry_after)
    except ValueError:
        return 0.0
    at = at if at.tzinfo else at.replace(tzinfo=UTC)
    return min(max(0.0, (at - datetime.fromtimestamp(now_ms / 1000, UTC)).total_seconds()), MAX_WAIT_S)
