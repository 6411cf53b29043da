"""Real threads, real clock: catching up, hiding and muting while others write."""

import contextlib
import random
import threading
from collections.abc import Callable, Iterator
from functools import partial

import pytest

from gochat_core.clock import SystemClock
from gochat_core.errors import GochatError
from gochat_core.ids import single_conversation_id
from gochat_core.types import ConversationId, UserId
from logic.conversations.list_conversations import list_conversations
from logic.conversations.update_conversation import update_conversation
from logic.sync.plan_sync import SyncLimits
from tests.integration.messages.frames import ALICE, BOB, CAROL, CHAT
from tests.integration.messages.stage import Door, Stage, open_door
from tests.integration.sync.device import Device, Person, history

WRITES = 120


@pytest.fixture
def doors(stage: Stage) -> Iterator[list[Door]]:
    """Open four containers on the real clock."""
    opened = [open_door(stage.mysql, stage.redis, stage.producer, SystemClock()) for _ in range(4)]
    yield opened
    for door in opened:
        door.close()


def run_at_once(*works: Callable[[], object]) -> None:
    """Run works in threads of their own and raise what one of them raised."""
    faults: list[BaseException] = []

    def run(work: Callable[[], object]) -> None:
        try:
            work()
        except BaseException as fault:  # noqa: BLE001 - told to the test below
            faults.append(fault)

    threads = [threading.Thread(target=run, args=(work,)) for work in works]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    if faults:
        raise faults[0]


def act(person: Person, chat: ConversationId, other: UserId, draw: random.Random, name: str) -> None:
    """Do something in a chat; what is refused changes nothing."""
    kind, seq = (
        draw.choices(["send", "edit", "react", "recall", "hide"], weights=[6, 3, 3, 1, 1])[0],
        draw.randint(1, 30),
    )
    if kind == "send":
        person.send(chat, name, to=other)
    elif kind == "edit":
        person.edit(chat, seq, f"edited {name}")
    elif kind == "react":
        person.react(chat, seq, draw.choice("👍🎉"))
    elif kind == "recall":
        person.recall(chat, seq)
    else:
        person.hide(chat)


def test_a_device_that_syncs_while_others_write_misses_nothing(stage: Stage, doors: list[Door]) -> None:
    peers = [ALICE, CAROL, UserId(4), UserId(5)]
    stage.add_users(4, 5)
    done = threading.Event()

    def write(door: Door, seed: int) -> None:
        draw = random.Random(seed)
        for number in range(WRITES):
            peer = draw.choice(peers)
            chat = single_conversation_id(peer, BOB)
            own, other = draw.choice([(peer, BOB), (BOB, peer)])
            with contextlib.suppress(GochatError):
                act(Person(door=door, user_id=own), chat, other, draw, f"{seed}-{number}")

    devices = [Device(door=doors[3], user_id=BOB, limits=SyncLimits(conversations=2, messages=3)) for _ in range(2)]

    def follow(device: Device) -> None:
        while not done.is_set():
            device.step()

    def write_all() -> None:
        try:
            run_at_once(*(partial(write, door, seed) for seed, door in enumerate(doors[:3])))
        finally:
            done.set()

    run_at_once(write_all, *(partial(follow, device) for device in devices))
    listed = {one.conversation_id for one in list_conversations(doors[0].database, BOB, limit=50, cursor=None).entries}
    for device in devices:
        device.sync()
        device.sync()
        for peer in peers:
            chat = single_conversation_id(peer, BOB)
            there = history(doors[0], BOB, chat) if chat in listed else {}
            if there:
                device.scroll_up(chat)
            assert device.held.get(chat, {}) == there


def test_a_message_that_meets_the_hiding_is_cleared_or_shows_the_conversation(stage: Stage, doors: list[Door]) -> None:
    alice, bob = Person(door=doors[0], user_id=ALICE), Person(door=doors[1], user_id=BOB)
    alice.send(CHAT, "m0", to=BOB)
    outcomes = set()
    for number in range(1, 41):
        run_at_once(partial(alice.send, CHAT, f"m{number}"), partial(bob.hide, CHAT))
        page = list_conversations(doors[2].database, BOB, limit=50, cursor=None)
        seqs = sorted(history(doors[2], BOB, CHAT))
        assert (len(page.entries), seqs) in ((0, []), (1, [number + 1]))
        outcomes.add(len(seqs))
        bob.hide(CHAT)
    assert outcomes <= {0, 1}


def test_muting_while_messages_are_stored_loses_neither(stage: Stage, doors: list[Door]) -> None:
    alice, bob = Person(door=doors[0], user_id=ALICE), Person(door=doors[1], user_id=BOB)
    alice.send(CHAT, "m0", to=BOB)

    def send() -> None:
        for number in range(1, 41):
            alice.send(CHAT, f"m{number}")

    def mute() -> None:
        for number in range(41):
            update_conversation(bob.ports, BOB, CHAT, is_muted=number % 2 == 0, is_pinned=None)

    run_at_once(send, mute)
    (entry,) = list_conversations(doors[2].database, BOB, limit=50, cursor=None).entries
    assert (entry.own.last_seq, entry.is_muted, entry.own.unread_count) == (41, True, 41)
