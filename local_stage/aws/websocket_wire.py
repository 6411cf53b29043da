"""Speak the WebSocket protocol of one connection with API Gateway's limits; no I/O of its own."""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Iterator
from dataclasses import dataclass

from wsproto.connection import Connection, ConnectionState, ConnectionType
from wsproto.events import BytesMessage, CloseConnection, Ping, Pong, TextMessage
from wsproto.utilities import LocalProtocolError, RemoteProtocolError

# "WebSocket frame size 32 KB", "Message payload size 128 KB" (API Gateway, quotas for WebSocket APIs).
FRAME_LIMIT_BYTES = 32 * 1024
MESSAGE_LIMIT_BYTES = 128 * 1024
NORMAL, GOING_AWAY, UNSUPPORTED, TOO_BIG, PROTOCOL_ERROR = 1000, 1001, 1003, 1009, 1002
NO_STATUS, ABNORMAL = 1005, 1006
_ACCEPT_SUFFIX = b"258EAFA5-E914-47DA-95CA-C5AB0DC85B11"


@dataclass(frozen=True, kw_only=True)
class Text:
    """A whole text message from the client."""

    body: str


@dataclass(frozen=True, kw_only=True)
class Closed:
    """The end of the connection: who closes has said so; `to_send` is what the peer still has to get."""

    code: int
    reason: str


class WebSocketWire:
    """Turn received bytes into messages, and messages into bytes to send (`take`)."""

    def __init__(self) -> None:
        """Begin after an accepted handshake; no extension is negotiated, API Gateway knows none."""
        self._connection = Connection(ConnectionType.SERVER)
        self._outgoing = bytearray()
        self._message: list[str] = []
        self._message_bytes = 0
        self._frame_bytes = 0

    def take(self) -> bytes:
        """Give the bytes that are to be sent now."""
        data = bytes(self._outgoing)
        self._outgoing.clear()
        return data

    def receive(self, data: bytes) -> Iterator[Text | Closed]:
        """Feed received bytes; ends after a Closed."""
        try:
            self._connection.receive_data(data)
            for event in self._connection.events():
                if isinstance(event, Ping):
                    self._outgoing += self._connection.send(event.response())
                elif isinstance(event, Pong):
                    continue
                elif isinstance(event, CloseConnection):
                    yield self._closed_by_client(event)
                    return
                elif isinstance(event, BytesMessage):
                    yield self.close(UNSUPPORTED, "Binary is not supported")
                    return
                elif isinstance(event, TextMessage):
                    if self._too_big(event):
                        yield self.close(TOO_BIG, "Message too big")
                        return
                    if event.message_finished:
                        yield Text(body=self._whole_message())
        except RemoteProtocolError as error:
            code = int(error.event_hint.code) if isinstance(error.event_hint, CloseConnection) else PROTOCOL_ERROR
            yield self.close(code, str(error))

    def send_text(self, text: str) -> None:
        """Queue a message, in frames of at most 32 KiB."""
        data = text.encode()
        if len(data) <= FRAME_LIMIT_BYTES:
            self._outgoing += self._connection.send(TextMessage(data=text))
            return
        characters = FRAME_LIMIT_BYTES // 4
        for start in range(0, len(text), characters):
            last = start + characters >= len(text)
            part = text[start : start + characters]
            self._outgoing += self._connection.send(TextMessage(data=part, message_finished=last))

    def close(self, code: int, reason: str) -> Closed:
        """Queue a close frame unless one was sent, and give the end."""
        if self._connection.state is ConnectionState.OPEN:
            try:
                self._outgoing += self._connection.send(CloseConnection(code=code, reason=reason))
            except LocalProtocolError:
                return Closed(code=code, reason=reason)
        return Closed(code=code, reason=reason)

    @property
    def finished(self) -> bool:
        """Whether both sides have sent their close frames."""
        return self._connection.state is ConnectionState.CLOSED

    def _closed_by_client(self, event: CloseConnection) -> Closed:
        if self._connection.state is ConnectionState.REMOTE_CLOSING:
            self._outgoing += self._connection.send(event.response())
        code = int(event.code)
        reason = event.reason or ("Client-side close frame status not set" if code == NO_STATUS else "")
        return Closed(code=code, reason=reason)

    def _too_big(self, event: TextMessage) -> bool:
        size = len(event.data) if event.data.isascii() else len(event.data.encode())
        self._frame_bytes += size
        self._message_bytes += size
        if self._frame_bytes > FRAME_LIMIT_BYTES or self._message_bytes > MESSAGE_LIMIT_BYTES:
            return True
        if event.frame_finished:
            self._frame_bytes = 0
        self._message.append(event.data)
        return False

    def _whole_message(self) -> str:
        text = "".join(self._message)
        self._message.clear()
        self._message_bytes = 0
        return text


def accept_key(key: str) -> str:
    """Compute Sec-WebSocket-Accept (RFC 6455, 4.2.2)."""
    return base64.b64encode(hashlib.sha1(key.encode() + _ACCEPT_SUFFIX, usedforsecurity=False).digest()).decode()
