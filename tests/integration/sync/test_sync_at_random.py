"""Whatever happens between, during and at the instant of its syncs: a device ends up with what the server has."""

from collections import Counter
from collections.abc import Callable, Iterator
from itertools import count
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from gochat_core.errors import GochatError
from gochat_core.ids import single_conversation_id
from gochat_core.types import ConversationId, UserId
from gochat_repo.mysql import Database, Params, Row, Transaction
from local_stage.services.mysql import MySqlServer
from local_stage.services.redis import RedisCluster
from logic.sync.plan_sync import REACH_BACK_MS, SyncLimits
from tests.fakes.clock import SettableClock
from tests.fixtures.services import fresh_database
from tests.integration.messages.conftest import open_stage
from tests.integration.messages.stage import Door, Stage, open_door
from tests.integration.sync.device import Device, Person, history

SMALL = SyncLimits(conversations=2, messages=3, latest=2, bytes=9_000)
"""So small that everything is cut: a page of two conversations, three messages of each, or what fits into it."""

LATE_MS = REACH_BACK_MS - 2_000
"""How late a clock may be, or a commit after its time stamp."""

PEERS = 4
"""The first two have single chats with Bob; of the others each owns a group with him: a small one, which may become
large, and a large one."""

LARGE_FROM = (3, 2)
EMOJI = ("👍", "🎉")

_ids = count(1_000, 10)


def late_clock(door: Door) -> SettableClock:
    """Return the clock of the door that is late."""
    assert isinstance(door.clock, SettableClock)
    return door.clock


class InterruptedRead:
    """A transaction that lets something happen before each of its statements, as other transactions commit."""

    def __init__(self, tx: Transaction, between: Callable[[], None]) -> None:
        self._tx = tx
        self._between = between

    def query(self, sql: str, params: Params = ()) -> list[Row]:
        """Return the rows of one statement."""
        self._between()
        return self._tx.query(sql, params)


class InterruptedDatabase(Database):
    """A database on which reads are interrupted by `between`."""

    between: Callable[[], None]

    def read(self, work: Callable[[Any], Any]) -> Any:
        """Run a read, interrupted before each statement."""
        return super().read(lambda tx: work(InterruptedRead(tx, self.between)))


class World:
    """Bob, who has devices, and people who write to him; they act through a door whose clock is late."""

    def __init__(self, stage: Stage, late: Door) -> None:
        self.clock = stage.clock
        self.door = stage.doors[0]
        self.clock.advance_ms(10 * REACH_BACK_MS)
        self.late_clock = late_clock(late)
        self.late_clock.now = self.clock.now - LATE_MS
        first = next(_ids)
        self.bob = UserId(first)
        self.peers = [UserId(first + number) for number in range(1, PEERS + 1)]
        stage.add_users(self.bob, *self.peers)
        self.chats = [single_conversation_id(self.bob, peer) for peer in self.peers[:2]]
        self.groups = [
            Person(door=self.door, user_id=owner).begin_group(
                self.bob, random=owner.to_bytes(16), large_members=large_members
            )
            for owner, large_members in zip(self.peers[2:], LARGE_FROM, strict=True)
        ]
        self.chats += [group.conversation_id for group in self.groups]
        self.names = count()
        self.sent: Counter[ConversationId] = Counter()
        self.doors = (self.door, late)
        self.devices = [Device(door=self.door, user_id=self.bob, limits=SMALL) for _ in range(2)]
        self.database = InterruptedDatabase(stage.mysql)

    def act(self, act: tuple[int, ...]) -> None:
        """Let somebody do something; what is refused changes nothing."""
        kind, number, seq, who = act
        chat, peer = self.chats[number % PEERS], self.peers[number % PEERS]
        door = self.doors[who // 2 % 2]
        user_id, other = (self.bob, peer) if who % 2 else (peer, self.bob)
        person = Person(door=door, user_id=user_id)
        is_group = number % PEERS >= 2
        self.late_clock.now = max(self.late_clock.now, self.clock.now - LATE_MS)
        seq = seq % max(1, self.sent[chat]) + 1
        try:
            if kind <= 2:
                for _ in range(kind * kind + 1):
                    text = "x" * (seq % 5 * 700 + 1)
                    person.send(chat, f"m{next(self.names)}", text=text, to=None if is_group else other)
                    self.sent[chat] += 1
            elif kind == 3:
                person.edit(chat, seq, f"edited {next(self.names)}")
            elif kind == 4:
                person.recall(chat, seq)
            elif kind == 5:
                person.react(chat, seq, EMOJI[seq % 2])
            elif kind == 6:
                person.unreact(chat, seq, EMOJI[seq % 2])
            elif kind == 7:
                person.read(chat, seq)
            elif kind == 8:
                person.hide(chat)
            elif is_group:
                self._change_group(kind, number % PEERS - 2, Person(door=door, user_id=peer), who)
        except GochatError:
            pass

    def _change_group(self, kind: int, which: int, owner: Person, who: int) -> None:
        group_id, large_members = self.groups[which].group_id, LARGE_FROM[which]
        if kind == 9:
            owner.invite(group_id, self.peers[who % 2], large_members=large_members)
        elif kind == 10:
            owner.remove(group_id, self.bob)
        else:
            owner.invite(group_id, self.bob, large_members=large_members)
        self.sent[self.groups[which].conversation_id] += 1

    def close(self) -> None:
        """Close the connections."""
        self.database.close()


ACT = st.tuples(st.integers(0, 11), st.integers(0, PEERS - 1), st.integers(0, 30), st.integers(0, 3))
ADVANCE = st.sampled_from([0, 1, 500, 20_000, REACH_BACK_MS + 1, 300_000])


@pytest.fixture(scope="module")
def random_stage(mysql_server: MySqlServer, redis_cluster: RedisCluster) -> Iterator[tuple[Stage, Door]]:
    """Give the module a stage with a second door, whose clock is up to 28 s late."""
    with (
        fresh_database(mysql_server, label="sync") as name,
        open_stage(mysql_server, redis_cluster, name) as stage,
    ):
        late = open_door(stage.mysql, stage.redis, stage.producer, SettableClock(stage.clock.now_ms()))
        yield stage, late
        late.close()


@settings(
    max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow]
)
@given(data=st.data())
def test_a_device_that_syncs_ends_with_what_the_server_has(
    random_stage: tuple[Stage, Door], data: st.DataObject
) -> None:
    world = World(*random_stage)
    try:
        for _ in range(data.draw(st.integers(1, 8), label="rounds")):
            for act in data.draw(st.lists(ACT, max_size=6), label="acts"):
                world.act(act)
            world.clock.advance_ms(data.draw(ADVANCE, label="advance"))
            device = world.devices[data.draw(st.integers(0, 1), label="device")]
            if data.draw(st.booleans(), label="syncs"):
                _sync_interrupted(world, device, data)
        for device in world.devices:
            if device.is_on_walk:
                # What is stamped late, behind where a walk stands, is told by the next one.
                device.sync()
            device.sync()
            _check(world, device)
    finally:
        world.close()


def _sync_interrupted(world: World, device: Device, data: st.DataObject) -> None:
    """Sync a page or all of them, naming some cursors or all, losing answers, while others act between statements."""
    acts = data.draw(st.lists(st.tuples(st.integers(0, 6), ACT), max_size=4), label="meanwhile")
    statements = count()

    def between() -> None:
        now = next(statements)
        for at, act in acts:
            if at == now:
                world.act(act)

    world.database.between = between
    named = data.draw(st.none() | st.lists(st.sampled_from(world.chats), max_size=2), label="named")
    if data.draw(st.booleans(), label="answer lost"):
        device.ask(database=world.database)
    pages = data.draw(st.integers(1, 12), label="pages")
    for _ in range(pages):
        if not device.step(named=named, database=world.database):
            break


def _check(world: World, device: Device) -> None:
    for chat in world.chats:
        there = history(world.door, world.bob, chat) if chat in _visible(world) else {}
        if chat in device.cursors and there:
            device.scroll_up(chat)
        assert device.held.get(chat, {}) == there


def _visible(world: World) -> set[ConversationId]:
    rows = world.door.database.read(
        lambda tx: tx.query(
            "SELECT p.conversation_id FROM conversation_participants p JOIN conversations c USING (conversation_id)"
            " WHERE p.user_id = %s AND p.left_seq IS NULL AND (p.hidden_seq IS NULL OR p.hidden_seq < c.last_seq)",
            (world.bob,),
        )
    )
    return {ConversationId(row[0].hex()) for row in rows}
