"""The terminal client's connection against a server that loses, reorders and refuses."""

import asyncio
import json
from typing import Any

import pytest
from websockets.asyncio.server import ServerConnection

from dev_cli.chat.client import Ended
from dev_cli.chat.typed import HELP
from tests.integration.chat.scripted_server import ALICE, BOB, CONVERSATION, DEADLINE_S, Server, message, until


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
