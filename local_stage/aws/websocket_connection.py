"""Drive one open WebSocket connection: read its messages, send to it, cut it when its time is over."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from dataclasses import dataclass

from local_stage.aws.websocket_events import ConnectionFacts
from local_stage.aws.websocket_wire import ABNORMAL, GOING_AWAY, Closed, Text, WebSocketWire

_READ_BYTES = 65_536
# A client that does not answer a close frame, or does not read what it is sent, is left.
CLOSE_WAIT_S = 2.0
UNREAD_LIMIT_BYTES = 8 * 1024 * 1024


@dataclass(frozen=True, kw_only=True)
class Cuts:
    """How long the platform keeps a connection, in seconds: silent, and at all."""

    idle_s: float
    lifetime_s: float


class OpenConnection:
    """A client that is connected; all methods run on the event loop."""

    def __init__(
        self, *, facts: ConnectionFacts, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, cuts: Cuts
    ) -> None:
        """Begin after the handshake's answer was written."""
        self.facts = facts
        self.last_active_at = time.time()
        self._reader = reader
        self._writer = writer
        self._cuts = cuts
        self._wire = WebSocketWire()
        self._opened = self._last_active = asyncio.get_running_loop().time()
        self._ended: Closed | None = None
        self._patience: asyncio.Timeout | None = None

    @property
    def open(self) -> bool:
        """Whether messages can still be sent."""
        return self._ended is None

    async def run(self, on_message: Callable[[str], None]) -> Closed:
        """Hand every message to `on_message` until the connection is over, and tell how it ended."""
        try:
            while (data := await self._read()) is not None:
                for event in self._wire.receive(data):
                    if isinstance(event, Text):
                        if self._ended is None:
                            self._touch()
                            on_message(event.body)
                    elif self._ended is None:
                        self._end(event)
                self._flush()
                if self._wire.finished:
                    break
        except OSError:
            pass
        finally:
            self._ended = self._ended or Closed(code=ABNORMAL, reason="Connection closed abnormally")
            self._writer.close()
        return self._ended

    def send(self, text: str) -> bool:
        """Send a message; False if the connection is over."""
        if self._ended is not None:
            return False
        self._wire.send_text(text)
        self._touch()
        self._flush()
        return True

    def close(self, code: int, reason: str) -> None:
        """Close from the server's side; `run` ends when the client has answered, or has not in time."""
        if self._ended is None:
            self._end(self._wire.close(code, reason))
            self._flush()

    async def _read(self) -> bytes | None:
        """Wait for bytes; None at the end of the stream or of the platform's patience."""
        while True:
            try:
                async with asyncio.timeout_at(self._deadline()) as patience:
                    self._patience = patience
                    return await self._reader.read(_READ_BYTES) or None
            except TimeoutError:
                self._patience = None
                if self._ended is not None:
                    return None
                if asyncio.get_running_loop().time() >= self._deadline():
                    self.close(GOING_AWAY, "Going away")
            finally:
                self._patience = None

    def _deadline(self) -> float:
        return min(self._last_active + self._cuts.idle_s, self._opened + self._cuts.lifetime_s)

    def _end(self, closed: Closed) -> None:
        self._ended = closed
        until = asyncio.get_running_loop().time() + CLOSE_WAIT_S
        self._last_active = until - self._cuts.idle_s
        self._opened = until - self._cuts.lifetime_s
        if self._patience is not None:
            self._patience.reschedule(until)

    def _touch(self) -> None:
        self.last_active_at = time.time()
        self._last_active = asyncio.get_running_loop().time()

    def _flush(self) -> None:
        data = self._wire.take()
        if data and not self._writer.is_closing():
            self._writer.write(data)
            if self._writer.transport.get_write_buffer_size() > UNREAD_LIMIT_BYTES:
                self._writer.transport.abort()
