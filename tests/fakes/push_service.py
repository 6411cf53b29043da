"""A browser and its push service over real HTTPS: decrypts what is posted as a browser would, fails as it is told."""

import base64
import hmac
import http.client
import json
import os
import socket
import ssl
import threading
from collections import deque
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from hashlib import sha256
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import jwt
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from tests.fakes.connections_server import make_certificate

MOZILLA, GOOGLE = "updates.push.services.mozilla.com", "fcm.googleapis.com"


@dataclass(kw_only=True)
class Browser:
    """One subscription, with the keys that only the browser has."""

    host: str = MOZILLA
    path: str = "/wpush/v2/gAAAA?x=1"
    key: ec.EllipticCurvePrivateKey = field(default_factory=lambda: ec.generate_private_key(ec.SECP256R1()))
    auth: bytes = field(default_factory=lambda: os.urandom(16))

    @property
    def point(self) -> bytes:
        """Its public key."""
        return self.key.public_key().public_bytes(Encoding.X962, PublicFormat.UncompressedPoint)

    def subscription(self) -> str:
        """What `JSON.stringify(subscription)` gives."""
        keys = {"p256dh": _text(self.point), "auth": _text(self.auth)}
        return json.dumps({"endpoint": f"https://{self.host}{self.path}", "expirationTime": None, "keys": keys})

    def decrypt(self, body: bytes) -> Any:
        """Return what the service worker gets (RFC 8188 and 8291, written down once more, with HMAC alone)."""
        salt, record_bytes, key_bytes = body[:16], int.from_bytes(body[16:20]), body[20]
        sender, sealed = body[21 : 21 + key_bytes], body[21 + key_bytes :]
        assert len(sealed) <= record_bytes, "one record"
        shared = self.key.exchange(ec.ECDH(), ec.EllipticCurvePublicKey.from_encoded_point(ec.SECP256R1(), sender))
        pseudo_random = _hmac(self.auth, shared)
        material = _hmac(pseudo_random, b"WebPush: info\0" + self.point + sender + b"\1")
        pseudo_random = _hmac(salt, material)
        key = _hmac(pseudo_random, b"Content-Encoding: aes128gcm\0\1")[:16]
        nonce = _hmac(pseudo_random, b"Content-Encoding: nonce\0\1")[:12]
        text, delimiter, _ = AESGCM(key).decrypt(nonce, sealed, None).rpartition(b"\2")
        assert delimiter, "the last record"
        return json.loads(text)


@dataclass(frozen=True, kw_only=True)
class Posted:
    """One request that arrived."""

    host: str
    target: str
    headers: dict[str, str]
    body: bytes

    def claims(self, application_server_key: str) -> dict[str, Any]:
        """Check who signed it, as a push service does, and return what the token says (RFC 8292)."""
        scheme, _, parameters = self.headers["authorization"].partition(" ")
        given = dict(part.strip().split("=", 1) for part in parameters.split(","))
        assert (scheme, given["k"]) == ("vapid", application_server_key)
        point = base64.urlsafe_b64decode(given["k"] + "=")
        key = ec.EllipticCurvePublicKey.from_encoded_point(ec.SECP256R1(), point)
        claims: dict[str, Any] = jwt.decode(
            given["t"], key, algorithms=["ES256"], audience=f"https://{self.host}", options={"verify_exp": False}
        )
        return claims


@dataclass(kw_only=True)
class PushService:
    """What arrived, and what to answer: `answers` are (status, headers), 201 once they are used up.

    `hangs` answers nothing until the end; `garbage` answers what is no HTTP; `closes` ends a connection after its
    answer although it said nothing of it; `failing_host` always answers 503.
    """

    port: int = 0
    posted: list[Posted] = field(default_factory=list)
    answers: deque[tuple[int, dict[str, str]]] = field(default_factory=deque)
    hangs: bool = False
    garbage: bool = False
    closes: bool = False
    failing_host: str = ""
    opened: int = 0
    over: threading.Event = field(default_factory=threading.Event)
    trusted: ssl.SSLContext | None = None

    def connect(self, host: str, timeout_s: float) -> http.client.HTTPSConnection:
        """Connect to this server as if the host's name led here; the certificate must be the host's all the same."""
        assert self.trusted is not None
        return _Redirected(host, self.port, timeout_s, self.trusted)


class _Redirected(http.client.HTTPSConnection):
    def __init__(self, host: str, port: int, timeout_s: float, context: ssl.SSLContext) -> None:
        super().__init__(host, timeout=timeout_s, context=context)
        self._real, self._trusted, self._patience_s = ("127.0.0.1", port), context, timeout_s

    def connect(self) -> None:
        raw = socket.create_connection(self._real, self._patience_s)
        self.sock = self._trusted.wrap_socket(raw, server_hostname=self.host)


def _handler(service: PushService) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def setup(self) -> None:
            super().setup()
            service.opened += 1

        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["content-length"]))
            headers = {name.lower(): value for name, value in self.headers.items()}
            service.posted.append(Posted(host=headers["host"], target=self.path, headers=headers, body=body))
            if service.hangs:
                service.over.wait(30)
                self.close_connection = True
                return
            if service.garbage:
                self.wfile.write(b"\0\x16\xff no HTTP at all\r\n\r\n")
                self.close_connection = True
                return
            status, extra = service.answers.popleft() if service.answers else (201, {})
            if headers["host"] == service.failing_host:
                status = 503
            self.send_response(status)
            for name, value in extra.items():
                self.send_header(name, value)
            self.send_header("content-length", "0")
            self.end_headers()
            self.close_connection = service.closes

        def log_message(self, format: str, *arguments: Any) -> None:  # noqa: A002 - the base class's name
            """Say nothing."""

    return Handler


@contextmanager
def serving(folder: Path) -> Iterator[PushService]:
    """Serve HTTPS for the block, with a certificate of both hosts."""
    context, trusted = make_certificate(folder, MOZILLA, GOOGLE)
    service = PushService(trusted=trusted)
    server = ThreadingHTTPServer(("127.0.0.1", 0), _handler(service))
    server.daemon_threads = True
    server.socket = context.wrap_socket(server.socket, server_side=True, do_handshake_on_connect=False)
    service.port = server.server_address[1]
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True)
    thread.start()
    try:
        yield service
    finally:
        service.over.set()
        server.shutdown()
        server.server_close()
        thread.join(5)


def _text(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def _hmac(key: bytes, data: bytes) -> bytes:
    return hmac.new(key, data, sha256).digest()
