"""One non-blocking HTTP/1.1 connection, kept alive: a state machine that a selector's loop drives."""

import re
import selectors
import socket
import ssl
from contextlib import suppress
from dataclasses import dataclass
from enum import Enum, auto

_RECEIVE_BYTES = 65_536
_MAX_RESPONSE_BYTES = 1_048_576
_FRAMING = re.compile(
    rb"\r\ncontent-length: *(\d+)|\r\n(transfer-encoding): *chunked|\r\n(connection): *close", re.IGNORECASE
)
_FIRST_FINAL = 200
_WITHOUT_BODY = (204, 304)


@dataclass(frozen=True, kw_only=True, slots=True)
class Address:
    """Where to connect, as `getaddrinfo` tells it."""

    family: int
    sockaddr: tuple[str, int] | tuple[str, int, int, int]


@dataclass(frozen=True, slots=True)
class Response:
    """A complete response; `keep` tells whether the connection may be used again."""

    status: int
    body: bytes
    keep: bool


class State(Enum):
    """Where a connection stands."""

    CONNECTING = auto()
    HANDSHAKING = auto()
    IDLE = auto()
    BUSY = auto()
    CLOSED = auto()


class BrokenConnectionError(Exception):
    """The connection ended, or said what is not HTTP. `untouched`: nothing of a response had come on a used one."""

    def __init__(self, reason: str, *, untouched: bool = False) -> None:
        super().__init__(reason)
        self.untouched = untouched


class HttpConnection:
    """Carries one exchange at a time; registers itself with the selector for what it waits for."""

    __slots__ = (
        "_context",
        "_interest",
        "_received",
        "_selector",
        "_server_hostname",
        "_socket",
        "_unsent",
        "exchanges",
        "since_s",
        "state",
    )

    def __init__(
        self,
        selector: selectors.BaseSelector,
        address: Address,
        *,
        context: ssl.SSLContext | None,
        server_hostname: str,
        now_s: float,
    ) -> None:
        """Start to connect; with a context, TLS follows. Raises OSError when it fails at once."""
        self._selector = selector
        self._context = context
        self._server_hostname = server_hostname
        self._received = b""
        self._unsent = b""
        self.exchanges = 0
        self.since_s = now_s
        self.state = State.CONNECTING
        self._socket: socket.socket = socket.socket(address.family, socket.SOCK_STREAM)
        try:
            self._socket.setblocking(False)
            self._socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            self._socket.connect(address.sockaddr)
        except BlockingIOError:
            pass
        except OSError:
            self._socket.close()
            raise
        self._interest = selectors.EVENT_WRITE
        selector.register(self._socket, self._interest, self)

    def send(self, request: bytes, now_s: float) -> None:
        """Begin an exchange on an idle connection. Raises BrokenConnectionError."""
        self.state = State.BUSY
        self.since_s = now_s
        self._received = b""
        self._unsent = request
        self._send_more()

    def advance(self, now_s: float) -> Response | None:
        """Go on after the selector's sign; return the response once it is complete. Raises BrokenConnectionError."""
        if self.state is State.BUSY:
            if self._unsent:
                self._send_more()
                return None
            return self._receive(now_s)
        if self.state is State.IDLE:
            self._listen_while_idle()
        elif self.state is State.CONNECTING:
            self._finish_connecting()
        if self.state is State.HANDSHAKING:
            self._shake_hands(now_s)
        elif self.state is State.CONNECTING:
            self._become_idle(now_s)
        return None

    def close(self) -> None:
        """Close it, whatever it is at; safe to call twice."""
        if self.state is State.CLOSED:
            return
        self.state = State.CLOSED
        with suppress(KeyError, ValueError):  # not registered when TLS could not be put around it
            self._selector.unregister(self._socket)
        self._socket.close()

    def _finish_connecting(self) -> None:
        error = self._socket.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR)
        if error:
            raise BrokenConnectionError(f"connecting failed with error {error}")
        if self._context is None:
            return
        self._selector.unregister(self._socket)
        try:
            self._socket = self._context.wrap_socket(
                self._socket, server_hostname=self._server_hostname, do_handshake_on_connect=False
            )
        except OSError as error_of_tls:
            raise BrokenConnectionError(str(error_of_tls)) from error_of_tls
        self._selector.register(self._socket, self._interest, self)
        self.state = State.HANDSHAKING

    def _shake_hands(self, now_s: float) -> None:
        assert isinstance(self._socket, ssl.SSLSocket)
        try:
            self._socket.do_handshake()
        except ssl.SSLWantReadError:
            self._wait_for(selectors.EVENT_READ)
        except ssl.SSLWantWriteError:
            self._wait_for(selectors.EVENT_WRITE)
        except OSError as error:
            raise BrokenConnectionError(f"TLS handshake: {error}") from error
        else:
            self._become_idle(now_s)

    def _become_idle(self, now_s: float) -> None:
        self.state = State.IDLE
        self.since_s = now_s
        self._wait_for(selectors.EVENT_READ)

    def _listen_while_idle(self) -> None:
        try:
            data = self._socket.recv(_RECEIVE_BYTES)
        except (BlockingIOError, ssl.SSLWantReadError):
            return  # TLS spoke to itself: a session ticket, for instance
        except OSError as error:
            raise BrokenConnectionError(str(error)) from error
        raise BrokenConnectionError("an answer to nothing" if data else "closed while idle")

    def _send_more(self) -> None:
        try:
            sent = self._socket.send(self._unsent)
        except (BlockingIOError, ssl.SSLWantWriteError):
            self._wait_for(selectors.EVENT_WRITE)
            return
        except ssl.SSLWantReadError:
            self._wait_for(selectors.EVENT_READ)
            return
        except OSError as error:
            raise BrokenConnectionError(str(error), untouched=self.exchanges > 0) from error
        self._unsent = self._unsent[sent:]
        self._wait_for(selectors.EVENT_WRITE if self._unsent else selectors.EVENT_READ)

    def _receive(self, now_s: float) -> Response | None:
        while True:
            try:
                data = self._socket.recv(_RECEIVE_BYTES)
            except (BlockingIOError, ssl.SSLWantReadError):
                return None
            except OSError as error:
                raise BrokenConnectionError(str(error), untouched=self._is_untouched()) from error
            if not data:
                return self._end_of_stream()
            self._received += data
            response = parse_response(self._received)
            if response is not None:
                self.exchanges += 1
                self._become_idle(now_s)
                return response
            if len(self._received) > _MAX_RESPONSE_BYTES:
                raise BrokenConnectionError("a response without end")

    def _end_of_stream(self) -> Response:
        response = parse_response(self._received, ended=True)
        if response is None:
            raise BrokenConnectionError("closed before the response was complete", untouched=self._is_untouched())
        return response

    def _is_untouched(self) -> bool:
        return self.exchanges > 0 and not self._received

    def _wait_for(self, interest: int) -> None:
        if interest != self._interest:
            self._interest = interest
            self._selector.modify(self._socket, interest, self)


def parse_response(data: bytes, *, ended: bool = False) -> Response | None:
    """Read one response, or return None while it is incomplete; `ended`: the far end has closed.

    Raises BrokenConnectionError for what is not HTTP/1.x.
    """
    head_end = data.find(b"\r\n\r\n")
    if head_end < 0:
        return None
    if not data.startswith(b"HTTP/1.") or not data[9:12].isdigit():
        raise BrokenConnectionError("the response is not HTTP/1.x")
    status = int(data[9:12])
    if status < _FIRST_FINAL:
        return parse_response(data[head_end + 4 :], ended=ended)
    length, chunked, keep = -1, False, data[:8] == b"HTTP/1.1" and not ended
    for match in _FRAMING.finditer(data, 0, head_end):
        if match[1]:
            length = int(match[1])
        elif match[2]:
            chunked = True
        else:
            keep = False
    body = data[head_end + 4 :]
    if status in _WITHOUT_BODY:
        return Response(status, b"", keep)
    if chunked:
        whole = _join_chunks(body)
        return None if whole is None else Response(status, whole, keep)
    if length >= 0:
        return Response(status, body[:length], keep) if len(body) >= length else None
    return Response(status, body, False) if ended else None


def _join_chunks(data: bytes) -> bytes | None:
    parts: list[bytes] = []
    at = 0
    while (line_end := data.find(b"\r\n", at)) >= 0:
        try:
            size = int(data[at:line_end].partition(b";")[0], 16)
        except ValueError as error:
            raise BrokenConnectionError("a chunk without a size") from error
        at = line_end + 2
        if size == 0:
            # Trailers, if any, end with an empty line.
            return b"".join(parts) if data.startswith(b"\r\n", at) or b"\r\n\r\n" in data[at:] else None
        parts.append(data[at : at + size])
        at += size + 2
    return None
