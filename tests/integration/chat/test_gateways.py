"""The terminal client goes where its gateway sends it, and to another one where its own is away."""

import asyncio
import json

from websockets.asyncio.server import ServerConnection, serve
from websockets.http11 import Request, Response

from tests.integration.chat.scripted_server import Server, until


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
