"""A server that plays its part of the contract for the terminal client, as a test's script says."""

import asyncio
import json
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

import httpx
from websockets.asyncio.server import ServerConnection, serve
from websockets.http11 import Request, Response

from dev_cli.chat.client import ChatClient
from dev_cli.chat.rest import Login, RestClient

CONVERSATION = "c" * 32
ALICE, BOB = "1", "2"
DEADLINE_S = 20.0

Script = Callable[["Server", ServerConnection, int], Awaitable[None]]


def message(seq: int, text: str, sender: str = BOB) -> dict[str, Any]:
    return {
        "seq": seq,
        "conversation_id": CONVERSATION,
        "sender_id": sender,
        "type": "text",
        "content": {"text": text},
        "created_at": "2026-11-23T07:00:00.000Z",
        "recalled": False,
    }


@dataclass
class Server:
    """Plays the server's part of the contract: `script` runs for each connection with its number from 1."""

    script: Script
    history: list[dict[str, Any]] = field(default_factory=list)
    sent_ids: list[str] = field(default_factory=list)
    shown: list[str] = field(default_factory=list)
    remarks: list[str] = field(default_factory=list)
    process_request: Callable[[ServerConnection, Request], Response | None] | None = None
    gateways: list[str] = field(default_factory=list)
    connections: int = 0

    async def on_connection(self, connection: ServerConnection) -> None:
        self.connections += 1
        await self.script(self, connection, self.connections)

    def answer_rest(self, request: httpx.Request) -> httpx.Response:
        if request.method == "POST":
            return httpx.Response(200, json={"read_seq": 0, "unread_count": 0})
        if request.url.path.endswith("/gateways"):
            return httpx.Response(200, json={"gateways": [{"url": url} for url in self.gateways]})
        after = int(request.url.params.get("after_seq", 0))
        return httpx.Response(200, json={"messages": [m for m in self.history if m["seq"] > after], "has_more": False})

    @asynccontextmanager
    async def client(self) -> AsyncIterator[tuple[ChatClient, "asyncio.Task[None]"]]:
        async with serve(self.on_connection, "127.0.0.1", 0, process_request=self.process_request) as server:
            port = next(iter(server.sockets)).getsockname()[1]
            rest = RestClient("http://stage", transport=httpx.MockTransport(self.answer_rest))
            client = ChatClient(
                rest,
                login=_login(f"ws://127.0.0.1:{port}"),
                conversation_id=CONVERSATION,
                show=lambda shown: self.shown.append(f"{shown.seq} {shown.text}"),
                tell=self.remarks.append,
                names={ALICE: "alice", BOB: "bob"},
            )
            running = asyncio.create_task(client.run())
            try:
                yield client, running
            finally:
                running.cancel()
                await asyncio.gather(running, return_exceptions=True)
                await rest.close()

    async def next_send(self, connection: ServerConnection) -> str:
        """Give the client_msg_id of the next message.send, answering what else comes."""
        async for text in connection:
            frame = json.loads(text)
            if frame["action"] == "message.send":
                self.sent_ids.append(frame["data"]["client_msg_id"])
                return self.sent_ids[-1]
        raise AssertionError("the client closed before it sent")

    async def store(self, connection: ServerConnection, client_msg_id: str, seq: int) -> None:
        stored = {"client_msg_id": client_msg_id, "message_id": "9", "conversation_id": CONVERSATION, "seq": seq}
        stored["created_at"] = "2026-11-23T07:00:00.000Z"
        await connection.send(json.dumps({"event": "message.stored", "data": stored}))


def _login(websocket_url: str) -> Login:
    return Login(user_id=ALICE, websocket_url=websocket_url, access_token="a", refresh_token="r")


async def until(is_so: Callable[[], bool]) -> None:
    async with asyncio.timeout(DEADLINE_S):
        while not is_so():
            await asyncio.sleep(0.01)
