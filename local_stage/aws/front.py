"""Stand before hypercorn on the one port: WebSocket upgrades and @connections are served here, the rest behind."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from typing import Any

import hypercorn.asyncio.run

from local_stage.aws.connections_api import MARK, ConnectionsApi
from local_stage.aws.http_wire import RequestHead, parse_head, response
from local_stage.aws.pinned import replace
from local_stage.aws.websocket_events import new_identifier
from local_stage.aws.websocket_gateway import WebSocketGateway
from local_stage.aws.websocket_wire import MESSAGE_LIMIT_BYTES


class Resumed:
    """A stream reader whose first bytes have been read already."""

    def __init__(self, first: bytes, reader: asyncio.StreamReader) -> None:
        """Give `first`, then whatever `reader` gives."""
        self._first = first
        self._reader = reader

    def at_eof(self) -> bool:
        """Tell whether nothing is left."""
        return not self._first and self._reader.at_eof()

    async def read(self, size: int) -> bytes:
        """Read at most `size` bytes, b"" at the end."""
        if self._first:
            data, self._first = self._first[:size], self._first[size:]
            return data
        return await self._reader.read(size)


@dataclass(frozen=True, kw_only=True)
class Front:
    """The first reader of every TCP connection."""

    gateway: WebSocketGateway
    connections: ConnectionsApi

    def install(self) -> None:
        """Take hypercorn's place at accepted connections, and hand it those that are not ours."""
        behind = hypercorn.asyncio.run.TCPServer

        async def serve(
            app: Any, loop: Any, config: Any, context: Any, state: Any,
            reader: asyncio.StreamReader, writer: asyncio.StreamWriter,
        ) -> None:  # fmt: skip
            rest = await self._serve(reader, writer)
            if rest is not None:
                await behind(app, loop, config, context, state, Resumed(rest, reader), writer)

        replace(hypercorn.asyncio.run, "TCPServer", serve)

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> bytes | None:
        """Serve what is ours; give the bytes read so far of the first request that is not, or None at the end."""
        try:
            while True:
                try:
                    data = await reader.readuntil(b"\r\n\r\n")
                except asyncio.LimitOverrunError:
                    return b""
                except asyncio.IncompleteReadError as end:
                    if end.partial:
                        return bytes(end.partial)
                    writer.close()
                    return None
                head = parse_head(data)
                if head is None:
                    return data
                if head.upgrades:
                    await self.gateway.serve(head, reader, writer, writer.get_extra_info("peername")[0])
                    return None
                if MARK not in head.path or head.body_bytes is None or not self.connections.owns(head):
                    return data
                await self._connections(head, reader, writer)
        except (OSError, EOFError):
            writer.close()
            return None
        except asyncio.CancelledError:
            # hypercorn cancels what is open when the launcher stops; nobody is left to whom a failure would matter.
            writer.close()
            return None

    async def _connections(self, head: RequestHead, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        size = head.body_bytes or 0
        # One byte past the limit is enough to refuse; the rest is read away so that the client gets the answer.
        body = await reader.readexactly(min(size, MESSAGE_LIMIT_BYTES + 1))
        left = size - len(body)
        while left:
            left -= len(await reader.readexactly(min(left, 65_536)))
        status, headers, content = self.connections.request(head.method, head.header("host") or "", head.path, body)
        headers["x-amzn-RequestId"] = new_identifier()
        writer.write(response(status, content, headers=headers))
        await writer.drain()
