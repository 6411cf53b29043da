"""A stand-in for API Gateway's `@connections` over real HTTP(S): records what it is sent, fails as it is told."""

import asyncio
import datetime
import ipaddress
import ssl
import threading
from collections import defaultdict, deque
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import unquote

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

STAGE_PATH = "/local"


@dataclass(frozen=True, kw_only=True)
class Received:
    """One request that arrived; the id is decoded."""

    method: str
    connection_id: str
    headers: dict[str, str]
    body: bytes


@dataclass(kw_only=True)
class ConnectionsServer:
    """What arrived, and what to answer.

    `gone` connections answer 410; `statuses` are given out first, one a request to that connection; `delay_s` is waited
    before every answer; `silent` answers nothing; `close_after` closes each HTTP connection after so many requests,
    `close_kept` closes those that are open now, `drop` closes instead of answering that many times.
    """

    endpoint: str = ""
    received: list[Received] = field(default_factory=list)
    gone: set[str] = field(default_factory=set)
    statuses: dict[str, deque[int]] = field(default_factory=lambda: defaultdict(deque))
    delay_s: float = 0.0
    silent: bool = False
    chunked: bool = False
    say_close: bool = False
    drop: int = 0
    opened: int = 0
    answering: dict[str, int] = field(default_factory=lambda: defaultdict(int))
    overlapped: set[str] = field(default_factory=set)
    loop: asyncio.AbstractEventLoop | None = None
    transports: set[asyncio.Transport] = field(default_factory=set)

    def bodies(self, connection_id: str) -> list[bytes]:
        """Return the bodies posted to one connection, in order of arrival."""
        return [r.body for r in self.received if r.connection_id == connection_id and r.method == "POST"]

    def close_kept(self) -> None:
        """Close every open HTTP connection, as a load balancer does with idle ones."""
        assert self.loop is not None
        done = threading.Event()

        def close() -> None:
            for transport in list(self.transports):
                transport.abort()
            done.set()

        self.loop.call_soon_threadsafe(close)
        done.wait(5)


class _Protocol(asyncio.Protocol):
    def __init__(self, server: ConnectionsServer) -> None:
        self.server = server
        self.data = b""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self.transport = transport
        self.server.opened += 1
        self.server.transports.add(transport)

    def connection_lost(self, exc: Exception | None) -> None:
        self.server.transports.discard(self.transport)

    def data_received(self, data: bytes) -> None:
        self.data += data
        head, separator, rest = self.data.partition(b"\r\n\r\n")
        if not separator:
            return
        request_line, *lines = head.decode().split("\r\n")
        headers = {name.lower(): value for name, _, value in (line.partition(": ") for line in lines)}
        length = int(headers.get("content-length", "0"))
        if len(rest) < length:
            return
        self.data = rest[length:]
        method, path, _ = request_line.split(" ")
        connection_id = unquote(path.removeprefix(f"{STAGE_PATH}/@connections/"))
        self.handle(Received(method=method, connection_id=connection_id, headers=headers, body=rest[:length]))

    def handle(self, request: Received) -> None:
        server = self.server
        if server.drop:
            server.drop -= 1
            self.transport.abort()
            return
        server.received.append(request)
        if server.silent:
            return
        server.answering[request.connection_id] += 1
        if server.answering[request.connection_id] > 1:
            server.overlapped.add(request.connection_id)
        if server.delay_s:
            asyncio.get_running_loop().call_later(server.delay_s, self.answer, request)
        else:
            self.answer(request)

    def answer(self, request: Received) -> None:
        server = self.server
        server.answering[request.connection_id] -= 1
        scripted = server.statuses.get(request.connection_id)
        if scripted:
            status = scripted.popleft()
        elif request.connection_id in server.gone:
            status = 410
        else:
            status = {"POST": 200, "GET": 200, "DELETE": 204}[request.method]
            if request.method == "DELETE":
                server.gone.add(request.connection_id)
        body = b'{"connectedAt":"2026-11-23T07:00:00Z"}' if request.method == "GET" and status == 200 else b""
        head = f"HTTP/1.1 {status} Whatever\r\nx-amzn-RequestId: 1\r\n"
        if server.say_close:
            head += "Connection: close\r\n"
        if server.chunked and status != 204:
            payload = b"%x\r\n%s\r\n" % (len(body), body) if body else b""
            self.transport.write(head.encode() + b"Transfer-Encoding: chunked\r\n\r\n" + payload + b"0\r\n\r\n")
        else:
            self.transport.write(head.encode() + b"Content-Length: %d\r\n\r\n" % len(body) + body)
        if server.say_close:
            self.transport.close()


@contextmanager
def serve_connections(tls: ssl.SSLContext | None = None) -> Iterator[ConnectionsServer]:
    """Serve on a free port of this machine, in a thread, until the block is left."""
    server = ConnectionsServer()
    ready = threading.Event()
    stop = asyncio.Event()

    async def serve() -> None:
        loop = server.loop = asyncio.get_running_loop()
        listener = await loop.create_server(lambda: _Protocol(server), "127.0.0.1", 0, ssl=tls, backlog=1024)
        port = listener.sockets[0].getsockname()[1]
        server.endpoint = f"{'https' if tls else 'http'}://127.0.0.1:{port}{STAGE_PATH}"
        ready.set()
        await stop.wait()
        listener.close()
        for transport in list(server.transports):
            transport.abort()
        await asyncio.sleep(0)

    thread = threading.Thread(target=lambda: asyncio.run(serve()))
    thread.start()
    ready.wait(5)
    try:
        yield server
    finally:
        assert server.loop is not None
        server.loop.call_soon_threadsafe(stop.set)
        thread.join()


def make_certificate(folder: Path, *hosts: str) -> tuple[ssl.SSLContext, ssl.SSLContext]:
    """Make a certificate in `folder`, of 127.0.0.1 and these hosts.

    Returns the server's context and one of a client that trusts it.
    """
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "127.0.0.1")])
    now = datetime.datetime.now(datetime.UTC)
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - datetime.timedelta(days=1))
        .not_valid_after(now + datetime.timedelta(days=1))
        .add_extension(
            x509.SubjectAlternativeName(
                [x509.IPAddress(ipaddress.ip_address("127.0.0.1")), *(x509.DNSName(host) for host in hosts)]
            ),
            critical=False,
        )
        .sign(key, hashes.SHA256())
    )
    path = folder / "certificate.pem"
    path.write_bytes(
        key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
        + certificate.public_bytes(serialization.Encoding.PEM)
    )
    serving = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    serving.load_cert_chain(path)
    return serving, ssl.create_default_context(cafile=str(path))
