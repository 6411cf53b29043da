"""Be the WebSocket API of API Gateway for one client: handshake, `$connect`, messages, `$disconnect`."""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import Coroutine, Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import unquote

from ministack.services import apigateway

from local_stage.aws import api_tables, websocket_routes
from local_stage.aws.api_tables import Api
from local_stage.aws.http_wire import RequestHead, response
from local_stage.aws.pinned import replace
from local_stage.aws.websocket_authorizer import authorize
from local_stage.aws.websocket_connection import Cuts, OpenConnection
from local_stage.aws.websocket_events import ConnectionFacts, Handshake, error_frame, new_identifier
from local_stage.aws.websocket_wire import GOING_AWAY, accept_key


@dataclass(frozen=True, kw_only=True)
class _Refusal(Exception):
    status: int
    message: str


@dataclass(kw_only=True)
class WebSocketGateway:
    """All WebSocket connections of the local AWS, by connection id."""

    cuts: Cuts
    connections: dict[str, OpenConnection] = field(default_factory=dict)
    _tasks: set[asyncio.Task[None]] = field(default_factory=set)
    _stopping: bool = False

    def install(self) -> None:
        """Shut MiniStack's own WebSocket door, which an upgrade late on a kept-alive connection would find."""

        async def refuse(_scope: Any, receive: Any, send: Any, *_: Any, **_options: Any) -> None:
            await receive()
            await send({"type": "websocket.close", "code": GOING_AWAY})

        replace(apigateway, "handle_websocket", refuse)

    def stop(self) -> None:
        """Tell every client that the local AWS goes away; their `$disconnect` no longer runs."""
        self._stopping = True
        for connection in list(self.connections.values()):
            connection.close(GOING_AWAY, "Going away")

    async def serve(
        self, head: RequestHead, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, source_ip: str
    ) -> None:
        """Serve one client from its upgrade request to the end of its connection."""
        handshake = Handshake(headers=head.headers, query_string=head.query_string, source_ip=source_ip)
        connection_id = new_identifier()
        try:
            api, facts = self._address(head, handshake, connection_id)
            authorizer, subprotocol = await self._admit(api, facts, handshake)
        except _Refusal as refusal:
            body = error_frame(refusal.message, {"connectionId": connection_id, "requestId": new_identifier()})
            writer.write(response(refusal.status, json.dumps(body).encode(), close=True))
            writer.close()
            return
        writer.write(_switching_protocols(handshake, subprotocol))
        connection = OpenConnection(facts=facts, reader=reader, writer=writer, cuts=self.cuts)
        self.connections[connection_id] = connection

        def on_message(body: str) -> None:
            # Each frame on its own: on AWS, frames of one connection are invoked concurrently.
            self._spawn(self._answer(api, connection, authorizer, body))

        try:
            closed = await connection.run(on_message)
        finally:
            self.connections.pop(connection_id, None)
        if not self._stopping:
            await websocket_routes.disconnect(api, facts, authorizer, code=closed.code, reason=closed.reason)

    def _address(self, head: RequestHead, handshake: Handshake, connection_id: str) -> tuple[Api, ConnectionFacts]:
        """Find API and stage of an upgrade request; an unknown one is forbidden, not missing."""
        parts = api_tables.address(handshake.header("Host") or "", unquote(head.path))
        api = api_tables.find(parts[0]) if parts else None
        if parts is None or api is None or api.protocol != "WEBSOCKET":
            raise _Refusal(status=403, message="Forbidden")
        _, stage_name, rest = parts
        stage = api.stage(stage_name)
        if stage is None or rest != "/":
            raise _Refusal(status=403, message="Forbidden")
        if not handshake.header("Sec-WebSocket-Key") or handshake.header("Sec-WebSocket-Version") != "13":
            raise _Refusal(status=400, message="Bad Request")
        return api, ConnectionFacts(
            api_id=api.api_id,
            stage=stage_name,
            domain_name=api.domain_name,
            connection_id=connection_id,
            connected_at_ms=int(time.time() * 1000),
            source_ip=handshake.source_ip,
            user_agent=handshake.header("User-Agent") or "",
            stage_variables=stage.get("stageVariables") or {},
        )

    async def _admit(
        self, api: Api, facts: ConnectionFacts, handshake: Handshake
    ) -> tuple[Mapping[str, Any] | None, str | None]:
        """Run the authorizer and `$connect`; give the authorizer's context and the subprotocol to answer.

        Source: API Gateway, "Set up a $connect route that requires a WebSocket subprotocol".
        """
        route = api.route("$connect")
        context: Mapping[str, Any] | None = None
        if route is not None:
            verdict = await authorize(api, route, facts, handshake)
            if verdict.refusal is not None:
                raise _Refusal(status=verdict.refusal[0], message=verdict.refusal[1])
            context = verdict.context
        answer = await websocket_routes.connect(api, facts, handshake, context)
        if answer.failure is not None:
            raise _Refusal(status=answer.status, message=answer.failure)
        if not 200 <= answer.status < 300:
            raise _Refusal(status=answer.status if answer.status >= 400 else 500, message="Forbidden")
        chosen = (value for name, value in answer.headers.items() if name.lower() == "sec-websocket-protocol")
        return context, next(chosen, None)

    async def _answer(
        self, api: Api, connection: OpenConnection, authorizer: Mapping[str, Any] | None, body: str
    ) -> None:
        frame = await websocket_routes.message(api, connection.facts, authorizer, body)
        if frame is not None:
            connection.send(frame)

    def _spawn(self, work: Coroutine[Any, Any, None]) -> None:
        task = asyncio.get_running_loop().create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)


def _switching_protocols(handshake: Handshake, subprotocol: str | None) -> bytes:
    lines = [
        "HTTP/1.1 101 Switching Protocols",
        "Upgrade: websocket",
        "Connection: upgrade",
        f"Sec-WebSocket-Accept: {accept_key(handshake.header('Sec-WebSocket-Key') or '')}",
    ]
    if subprotocol:
        lines.append(f"Sec-WebSocket-Protocol: {subprotocol}")
    return ("\r\n".join(lines) + "\r\n\r\n").encode("latin-1")
