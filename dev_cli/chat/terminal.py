"""Chats in one terminal: lines come in above the prompt; and sends a single text for scripts."""

import asyncio

from prompt_toolkit import PromptSession
from prompt_toolkit.buffer import Buffer
from prompt_toolkit.patch_stdout import patch_stdout

from dev_cli.chat.client import ChatClient, Ended
from dev_cli.chat.typed import HELP
from dev_cli.failure import Failure

_SEND_DEADLINE_S = 60.0
_POLL_S = 0.02
_REDRAW_S = 0.5


async def chat(client: ChatClient, *, username: str) -> None:
    """Send every line that is typed until the input ends or /quit."""
    connection = asyncio.create_task(client.run())
    # What was typed comes back as the stored message, with its number: the typed line itself need not stay.
    session: PromptSession[str] = PromptSession(
        erase_when_done=True, bottom_toolbar=lambda: f" {client.status or HELP}", refresh_interval=_REDRAW_S
    )
    session.default_buffer.on_text_changed += lambda buffer: _note_typing(client, buffer)
    try:
        with patch_stdout():
            typing = asyncio.create_task(_type_lines(session, client, username))
            await asyncio.wait([connection, typing], return_when=asyncio.FIRST_COMPLETED)
            typing.cancel()
        if connection.done():
            connection.result()
    except Ended as ended:
        raise Failure(str(ended)) from ended
    finally:
        connection.cancel()
        await asyncio.gather(connection, return_exceptions=True)


async def _type_lines(session: PromptSession[str], client: ChatClient, username: str) -> None:
    while True:
        try:
            line = (await session.prompt_async(f"{username}> ")).strip()
        except (EOFError, KeyboardInterrupt):
            return
        if line == "/quit":
            return
        if line:
            client.enter(line)


def _note_typing(client: ChatClient, buffer: Buffer) -> None:
    if buffer.text and not buffer.text.startswith("/"):
        client.note_typing()


async def send_once(client: ChatClient, text: str) -> None:
    """Send one text and wait until it is stored; Failure if that takes too long."""
    connection = asyncio.create_task(client.run())
    client.send(text)
    try:
        async with asyncio.timeout(_SEND_DEADLINE_S):
            while not client.idle and not connection.done():
                await asyncio.sleep(_POLL_S)
        if connection.done():
            connection.result()
    except TimeoutError as late:
        raise Failure(f"the message was not stored within {_SEND_DEADLINE_S:.0f} s.") from late
    except Ended as ended:
        raise Failure(str(ended)) from ended
    finally:
        connection.cancel()
        await asyncio.gather(connection, return_exceptions=True)
