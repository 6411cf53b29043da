"""Chats from the terminal, on the local stage or another one."""

import argparse
import asyncio
import getpass

import httpx

from dev_cli.chat.rest import Refused
from dev_cli.failure import Failure
from dev_cli.stage import serving_stage


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the options."""
    parser.add_argument("--as", dest="username", default="alice", help="who you are (default: alice)")
    parser.add_argument("--with", dest="peer", default="bob", help="whom to talk to (default: bob)")
    parser.add_argument("--demo", action="store_true", help="show both sides, each in a pane of its own")
    parser.add_argument("--send", metavar="TEXT", help="send one text, wait until it is stored, and leave")
    parser.add_argument("--url", metavar="HTTP_URL", help="the stage's HTTP URL (default: the local stage's)")


def run(arguments: argparse.Namespace) -> int:
    """Open the chat; on the local stage accounts are made as needed, elsewhere the password is asked for."""
    from dev_cli.chat.opening import LOCAL_PASSWORD

    url = str(arguments.url or serving_stage().http_url)
    password = getpass.getpass(f"password of {arguments.username}: ") if arguments.url else LOCAL_PASSWORD
    try:
        asyncio.run(_chat(arguments, url, password))
    except Refused as refused:
        raise Failure(f"the server refuses: {refused}") from refused
    except httpx.HTTPError as failure:
        raise Failure(f"{url} does not answer: {failure}", advice="./dev status tells how the stage is.") from failure
    return 0


async def _chat(arguments: argparse.Namespace, url: str, password: str) -> None:
    from dev_cli.chat import lines, panes, terminal
    from dev_cli.chat.client import ChatClient
    from dev_cli.chat.opening import open_chat
    from dev_cli.chat.rest import RestClient
    from dev_cli.chat.timeline import ChatMessage

    rests: list[RestClient] = []

    async def open_for(username: str, peer: str, write: panes.Writer) -> ChatClient:
        rests.append(RestClient(url))

        def show(message: ChatMessage, sender: str) -> None:
            write(lines.draw(message, sender))

        return await open_chat(
            rests[-1],
            username=username,
            peer=peer,
            password=password,
            make_peer=not arguments.url,
            show=show,
            tell=lambda remark: write(f"· {remark}"),
        )

    names = (arguments.username, arguments.peer)
    try:
        if arguments.demo:
            left, right = panes.Pane(username=names[0]), panes.Pane(username=names[1])
            left.client = await open_for(left.username, right.username, left.write)
            right.client = await open_for(right.username, left.username, right.write)
            await panes.show_panes(left, right)
        elif arguments.send is not None:
            await terminal.send_once(await open_for(*names, print), arguments.send)
        else:
            await terminal.chat(await open_for(*names, print), username=arguments.username)
    finally:
        for rest in rests:
            await rest.close()
