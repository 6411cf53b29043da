"""Serve @connections: post to, look at and close WebSocket connections, over keep-alive HTTP."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any
from urllib.parse import unquote

from ministack.services import apigateway

from local_stage.aws import api_tables
from local_stage.aws.http_wire import RequestHead
from local_stage.aws.pinned import replace, require
from local_stage.aws.websocket_connection import OpenConnection
from local_stage.aws.websocket_events import new_identifier
from local_stage.aws.websocket_gateway import WebSocketGateway
from local_stage.aws.websocket_wire import MESSAGE_LIMIT_BYTES, NORMAL

Answer = tuple[int, dict[str, str], bytes]

_CONNECTION_ID = re.compile(r"[A-Za-z0-9_-]{15}=")
MARK = "/@connections/"

require(apigateway, "_post_to_connection_text")


@dataclass(frozen=True, kw_only=True)
class ConnectionsApi:
    """The operations of the API Gateway Management API on one gateway's connections."""

    gateway: WebSocketGateway

    def install(self) -> None:
        """Answer also those requests that reach MiniStack's own door."""

        async def handle(
            method: str, api_id: str, stage: str, connection_id: str, body: bytes, _headers: dict[str, str]
        ) -> Answer:
            return self.handle(method, api_id, stage, unquote(connection_id), body)

        replace(apigateway, "handle_connections_api", handle)

    def owns(self, head: RequestHead) -> bool:
        """Tell whether a request is for an API at all, and not for an object that is called like this."""
        return api_tables.address(head.header("host") or "", unquote(head.path)) is not None

    def request(self, method: str, host: str, path: str, body: bytes) -> Answer:
        """Answer a request by its address."""
        parts = api_tables.address(host, unquote(path))
        if parts is None or not parts[2].startswith(MARK):
            return error(403, "ForbiddenException", "Forbidden")
        return self.handle(method, parts[0], parts[1], parts[2].removeprefix(MARK), body)

    def handle(self, method: str, api_id: str, stage: str, connection_id: str, body: bytes) -> Answer:
        """Answer PostToConnection, GetConnection or DeleteConnection.

        Source: API Gateway Management API reference; 410 also stands for a `$connect` that has not answered yet.
        """
        api = api_tables.find(api_id)
        if api is None or api.stage(stage) is None:
            return error(403, "ForbiddenException", "Forbidden")
        if not _CONNECTION_ID.fullmatch(connection_id):
            return error(400, "BadRequestException", f"Invalid connectionId: {connection_id}")
        if len(body) > MESSAGE_LIMIT_BYTES:
            return error(413, "PayloadTooLargeException", "Message too long", connection_id)
        connection = self.gateway.connections.get(connection_id)
        if (
            connection is None
            or not connection.open
            or (connection.facts.api_id, connection.facts.stage) != (api_id, stage)
        ):
            return error(410, "GoneException", None)
        if method == "POST":
            connection.send(apigateway._post_to_connection_text(body))
            return 200, {}, b""
        if method == "GET":
            return 200, {}, json.dumps(describe(connection)).encode()
        if method == "DELETE":
            connection.close(NORMAL, "Connection Closed Normally")
            return 204, {}, b""
        return error(405, "MethodNotAllowedException", "Method Not Allowed")


def describe(connection: OpenConnection) -> dict[str, Any]:
    """Make GetConnection's answer."""
    return {
        "connectedAt": _iso(connection.facts.connected_at_ms / 1000),
        "identity": {"sourceIp": connection.facts.source_ip, "userAgent": connection.facts.user_agent},
        "lastActiveAt": _iso(connection.last_active_at),
    }


def error(status: int, kind: str, message: str | None, connection_id: str | None = None) -> Answer:
    """Make an error answer in the shape the SDKs read."""
    body: dict[str, Any] = {"message": message}
    if connection_id is not None:
        body.update(connectionId=connection_id, requestId=new_identifier())
    return status, {"x-amzn-ErrorType": kind}, json.dumps(body).encode()


def _iso(seconds: float) -> str:
    return datetime.fromtimestamp(seconds, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
