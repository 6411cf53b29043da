"""The terminal client's connection against a server that loses, reorders and refuses."""

import asyncio
import json
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

import httpx
import pytest
from websockets.asyncio.server import ServerConnection, serve
from websockets.http11 import Request, Response

from dev_cli.chat.client import ChatClient, Ended
from dev_cli.chat.rest import Login, RestClient
from dev_cli.chat.typed import HELP

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


def test_a_message_whose_answer_was_lost_goes_out_again_under_the_same_id() -> None:
    async def script(server: Server, connection: ServerConnection, number: int) -> None:
        client_msg_id = await server.next_send(connection)
        if number == 1:
            connection.transport.abort()  # the answer is lost with the connection
            return
        await server.store(connection, client_msg_id, 1)
        await connection.wait_closed()

    server = Server(script)

    async def run() -> None:
        async with server.client() as (client, _):
            client.send("hello")
            await until(lambda: client.idle)

    asyncio.run(run())
    assert len(server.sent_ids) == 2
    assert len(set(server.sent_ids)) == 1
    assert server.shown == ["1 hello"]


def test_a_gap_is_fetched_and_shown_in_order() -> None:
    async def script(server: Server, connection: ServerConnection, number: int) -> None:
        await until(lambda: server.shown == ["1 one"])
        server.history += [message(2, "two"), message(3, "three")]
        await connection.send(json.dumps({"event": "message.new", "data": {"messages": [message(3, "three")]}}))
        await connection.wait_closed()

    server = Server(script, history=[message(1, "one")])

    async def run() -> None:
        async with server.client():
            await until(lambda: len(server.shown) == 3)

    asyncio.run(run())
    assert server.shown == ["1 one", "2 two", "3 three"]


def test_what_was_stored_while_the_client_was_away_is_shown_when_it_is_back() -> None:
    async def script(server: Server, connection: ServerConnection, number: int) -> None:
        if number == 1:
            await until(lambda: server.shown == ["1 one"])
            server.history.append(message(2, "two"))
            return  # closes the connection
        await connection.wait_closed()

    server = Server(script, history=[message(1, "one")])

    async def run() -> None:
        async with server.client():
            await until(lambda: len(server.shown) == 2)

    asyncio.run(run())
    assert server.connections == 2


def test_a_client_whose_gateway_is_emptied_connects_to_the_one_that_it_is_told() -> None:
    async def left(server: Server, connection: ServerConnection, number: int) -> None:
        data = {"gateway_id": "g2", "websocket_url": elsewhere[0]}
        await connection.send(json.dumps({"event": "session.moved", "data": data}))
        await connection.close()

    async def entered(connection: ServerConnection) -> None:
        arrived.append(True)
        await connection.wait_closed()

    elsewhere, arrived = list[str](), list[bool]()
    server = Server(left)

    async def run() -> None:
        async with serve(entered, "127.0.0.1", 0) as other:
            elsewhere.append(f"ws://127.0.0.1:{next(iter(other.sockets)).getsockname()[1]}")
            async with server.client():
                await until(lambda: bool(arrived))

    asyncio.run(run())
    assert server.connections == 1


def test_a_client_whose_gateway_takes_no_connection_turns_to_another_one() -> None:
    async def entered(connection: ServerConnection) -> None:
        arrived.append(True)
        await connection.wait_closed()

    async def left(server: Server, connection: ServerConnection, number: int) -> None:
        raise AssertionError("nobody gets in here")

    def refuse(connection: ServerConnection, request: Request) -> Response:
        return connection.respond(503, "")

    arrived = list[bool]()
    server = Server(left, process_request=refuse)

    async def run() -> None:
        async with serve(entered, "127.0.0.1", 0) as other:
            elsewhere = f"ws://127.0.0.1:{next(iter(other.sockets)).getsockname()[1]}"
            async with server.client() as (client, _):
                server.gateways += [client._login.websocket_url, elsewhere]
                await until(lambda: bool(arrived))

    asyncio.run(run())


@pytest.mark.parametrize("event", ["session.revoked", "session.replaced"])
def test_a_client_whose_session_ended_does_not_come_back(event: str) -> None:
    async def script(server: Server, connection: ServerConnection, number: int) -> None:
        await connection.send(json.dumps({"event": event, "data": {}}))
        await connection.close()

    server = Server(script)

    async def run() -> None:
        async with server.client() as (_, running):
            with pytest.raises(Ended):
                await asyncio.wait_for(running, DEADLINE_S)

    asyncio.run(run())
    assert server.connections == 1


def test_a_refused_message_is_told_and_the_next_one_goes_out() -> None:
    async def script(server: Server, connection: ServerConnection, number: int) -> None:
        first = await server.next_send(connection)
        refusal = {"code": "blocked", "message": "no", "retryable": False}
        await connection.send(json.dumps({"event": "error", "id": first, "error": refusal}))
        await server.store(connection, await server.next_send(connection), 1)
        await connection.wait_closed()

    server = Server(script)

    async def run() -> None:
        async with server.client() as (client, _):
            client.send("refused")
            client.send("taken")
            await until(lambda: client.idle)

    asyncio.run(run())
    assert "refused (blocked): refused" in server.remarks
    assert server.shown == ["1 taken"]


def test_what_happens_to_messages_is_remarked_and_what_the_peer_does_is_the_status() -> None:
    async def script(server: Server, connection: ServerConnection, number: int) -> None:
        await until(lambda: server.shown == ["1 one"])
        place = {"conversation_id": CONVERSATION, "seq": 1, "change": 1}
        for event, data in (
            ("message.edited", {**place, "sender_id": BOB, "content": {"text": "uno"}}),
            ("reaction", {**place, "user_id": ALICE, "emoji": "👍", "action": "add", "count": 2}),
            ("reaction", {**place, "user_id": BOB, "emoji": "👍", "action": "remove", "count": 1}),
            ("message.recalled", {**place, "sender_id": BOB}),
            ("message.recalled", {**place, "sender_id": BOB, "conversation_id": "d" * 32}),
            ("receipt", {"conversation_id": CONVERSATION, "user_id": ALICE, "delivered_seq": 9, "read_seq": 9}),
            ("receipt", {"conversation_id": CONVERSATION, "user_id": BOB, "delivered_seq": 2, "read_seq": 1}),
            ("request.rejected", {"id": "x", "action": "message.edit", "code": "forbidden", "message": "no"}),
        ):
            await connection.send(json.dumps({"event": event, "data": data}))
        await connection.wait_closed()

    server = Server(script, history=[message(1, "one")])

    async def run() -> None:
        async with server.client() as (client, _):
            await until(lambda: "refused (forbidden)" in server.remarks)
            assert client.status == "bob has #2, has read #1"

    asyncio.run(run())
    assert server.remarks == [
        "bob changed #1: uno",
        "alice reacted to #1 with 👍 (2)",
        "bob took back from #1 👍 (1)",
        "bob took #1 back",
        "refused (forbidden)",
    ]


def test_a_command_becomes_its_frame_and_typing_is_told_once_in_a_while() -> None:
    heard: list[dict[str, Any]] = []

    async def script(server: Server, connection: ServerConnection, number: int) -> None:
        async for text in connection:
            frame = json.loads(text)
            if frame["action"] != "hello":
                heard.append({"action": frame["action"], **frame["data"]})
            if len(heard) == 2:
                typing = {"conversation_id": CONVERSATION, "user_id": BOB}
                await connection.send(json.dumps({"event": "typing", "data": typing}))

    server = Server(script)

    async def run() -> None:
        async with server.client() as (client, _):
            client.note_typing()
            client.note_typing()
            client.enter("/react 3 👍")
            client.enter("/nonsense")
            await until(lambda: client.status == "bob is typing…")

    asyncio.run(run())
    assert heard == [
        {"action": "typing", "conversation_id": CONVERSATION},
        {"action": "reaction.add", "conversation_id": CONVERSATION, "seq": 3, "emoji": "👍"},
    ]
    assert server.remarks == [HELP]
