"""The terminal client against the deployed stage."""

import asyncio
import os
import subprocess
import sys
import uuid

import pytest

from dev_cli.chat.client import ChatClient
from dev_cli.chat.opening import LOCAL_PASSWORD, open_chat
from dev_cli.chat.rest import RestClient
from dev_cli.chat.timeline import ChatMessage
from dev_cli.paths import ROOT
from tests.fixtures.stage import Stage

EACH_SENDS = 10
DEADLINE_S = 60.0


@pytest.fixture
def names() -> tuple[str, str]:
    suffix = uuid.uuid4().hex[:8]
    return f"alice-{suffix}", f"bob-{suffix}"


Seen = list[tuple[int, str, str]]


async def open_client(stage: Stage, name: str, peer: str, seen: Seen) -> tuple[RestClient, ChatClient]:
    rest = RestClient(stage.http_url)

    def show(message: ChatMessage, sender: str) -> None:
        seen.append((message.seq, sender, message.text))

    client = await open_chat(
        rest,
        username=name,
        peer=peer,
        password=LOCAL_PASSWORD,
        make_peer=True,
        show=show,
        tell=lambda remark: None,
    )
    return rest, client


async def talk(stage: Stage, names: tuple[str, str]) -> dict[str, Seen]:
    shown: dict[str, Seen] = {name: [] for name in names}
    opened = [await open_client(stage, name, peer, shown[name]) for name, peer in (names, names[::-1])]
    running = [asyncio.create_task(client.run()) for _, client in opened]
    for number in range(EACH_SENDS):
        for name, (_, client) in zip(names, opened, strict=True):
            client.send(f"{name} {number}")
    async with asyncio.timeout(DEADLINE_S):
        while any(len(seen) < 2 * EACH_SENDS for seen in shown.values()):
            await asyncio.sleep(0.05)
    for task in running:
        task.cancel()
    await asyncio.gather(*running, return_exceptions=True)
    for rest, _ in opened:
        await rest.close()
    return shown


def test_two_clients_that_type_at_the_same_time_show_the_same_conversation(
    stage: Stage, names: tuple[str, str]
) -> None:
    shown = asyncio.run(talk(stage, names))
    alice, bob = names
    assert shown[alice] == shown[bob]
    assert [seq for seq, _, _ in shown[alice]] == list(range(1, 2 * EACH_SENDS + 1))
    for name in names:
        own = [text for _, sender, text in shown[alice] if sender == name]
        assert own == [f"{name} {number}" for number in range(EACH_SENDS)]


def test_a_text_sent_from_a_script_is_stored_and_in_the_peers_history(stage: Stage, names: tuple[str, str]) -> None:
    alice, bob = names
    first = chat(stage, "--as", alice, "--with", bob, "--send", "good morning")
    assert first.returncode == 0, first.stderr
    second = chat(stage, "--as", bob, "--with", alice, "--send", "good evening")
    assert "#1 " in second.stdout
    assert f"{alice}: good morning" in second.stdout
    assert f"{bob}: good evening" in second.stdout


def chat(stage: Stage, *words: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "dev_cli", "chat", *words],
        cwd=ROOT,
        env={**os.environ, "GOCHAT_HOME": str(stage.home)},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,
    )
