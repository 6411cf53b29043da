"""Whatever happens in a group while it becomes large: who belongs hears everything, and nobody else hears anything."""

import contextlib
from collections.abc import Iterator
from itertools import count
from typing import Any

import msgspec
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from gochat_aws.kafka_event import IncomingRecord
from gochat_contracts.records import TASK_TOPIC, DownstreamRecord, decode
from gochat_core.errors import GochatError
from gochat_core.ids import IdMaker
from gochat_core.types import UserId
from gochat_repo.outbox import OVERDUE_MS
from local_stage.services.mysql import MySqlServer
from local_stage.services.redis import RedisCluster
from logic.announce.announcer import OVERDUE_CHECK_MS
from logic.groups.add_group_members import add_group_members
from logic.groups.create_group import NewGroup, create_group
from logic.groups.invitees import read_invitees
from logic.groups.ports import GroupPorts
from logic.groups.remove_group_member import remove_group_member
from task.worker.wiring import make_batches
from tests.fixtures.services import fresh_database
from tests.integration.messages.conftest import open_stage
from tests.integration.messages.frames import act, command, edit, react, recall
from tests.integration.messages.stage import Stage

PEOPLE = 6
LARGE_FROM = 3
_IDS = count(1_000, 10)


class World:
    """A group of two that others join and leave; all are connected. The first one owns it, and stays."""

    def __init__(self, stage: Stage) -> None:
        self.stage = stage
        self.door = stage.doors[0]
        first = next(_IDS)
        self.people = [UserId(first + number) for number in range(PEOPLE)]
        stage.add_users(*self.people)
        for one in self.people:
            stage.connect(one)
        stage.producer.records.clear()
        self.ports = GroupPorts(
            database=self.door.database,
            announcer=self.door.announcer,
            clock=stage.clock,
            ids=IdMaker(stage.clock),
            max_members=100,
            large_members=LARGE_FROM,
        )
        new = NewGroup(name="x", avatar_url=None, announcement=None, invitees=self.named(1))
        self.group = create_group(self.ports, self.people[0], new, random=first.to_bytes(16)).group
        self.chat = self.group.conversation_id
        self.worker = make_batches(self.door.database, self.door.cache, stage.producer, stage.clock, page_members=2)
        self.names = count()
        self.worked = 0
        self.spans: dict[UserId, set[int]] = {one: set() for one in self.people}
        self.note()

    def named(self, *numbers: int) -> Any:
        """Name people as a request does."""
        return read_invitees("user_ids", [str(self.people[number]) for number in numbers])

    def do(self, kind: str, who: int, other: int) -> None:
        """Let something happen; what is refused changes nothing."""
        present = self.present()
        absent = [number for number, one in enumerate(self.people) if one not in present] or [0]
        user, seq = sorted(present)[who % len(present)], other + 1
        if kind == "send":
            names = [f"m{next(self.names)}" for _ in range(other % 3 + 1)]
            self.door.apply(*(act(command(name, conversation_id=self.chat), sender=user) for name in names))
        elif kind == "change":
            self.door.apply(
                edit(seq, f"new {next(self.names)}", by=user, chat=self.chat),
                react(seq, by=user, chat=self.chat),
                recall(seq + 1, by=user, chat=self.chat),
            )
        elif kind == "invite":
            add_group_members(self.ports, user, self.group.group_id, self.named(absent[other % len(absent)], who))
        elif kind == "remove":
            owner = self.people[0]
            remove_group_member(self.ports, owner, self.group.group_id, sorted(present)[other % len(present)])
        elif kind == "work":
            self.work(other + 1)
        elif kind == "broker":
            self.stage.producer.fail_after = other % 4
        else:
            self.stage.clock.advance_ms(other * 10_000)

    def work(self, size: int) -> None:
        """Bring the worker its next tasks; what fails comes again."""
        tasks = self.stage.producer.of_topic(TASK_TOPIC)[self.worked : self.worked + size]
        records = [
            IncomingRecord(
                topic=one.topic, partition=0, offset=0, timestamp_ms=0, key=one.key, value=one.value, headers={}
            )
            for one in tasks
        ]
        if records and not self.worker.apply(records).failed:
            self.worked += len(records)

    def note(self) -> None:
        """Write down which messages everybody has been a member for so far."""
        rows = self.stage.rows(
            "SELECT p.user_id, p.join_seq, IFNULL(p.left_seq, c.last_seq + 1)"
            " FROM conversation_participants p JOIN conversations c ON c.conversation_id = p.conversation_id"
            " WHERE p.conversation_id = %s",
            bytes.fromhex(self.chat),
        )
        for user, join_seq, end in rows:
            self.spans[user] |= set(range(join_seq, end))

    def settle(self) -> None:
        """Let the broker come back, everything that was left behind be announced, and the worker do its work."""
        self.stage.producer.fail_after = None
        for _ in range(4):
            self.stage.clock.advance_ms(OVERDUE_MS + OVERDUE_CHECK_MS)
            self.do("send", 0, 0)
        while self.worked < len(self.stage.producer.of_topic(TASK_TOPIC)):
            self.work(3)
        self.stage.check_all_announced()

    def told(self) -> Iterator[tuple[UserId, str, Any]]:
        """Yield who was told what."""
        for record in self.stage.producer.records:
            if record.topic.startswith("im-downstream"):
                held = decode(DownstreamRecord, record.value)
                for user in (held.user_id, *(one.user_id for one in held.also)):
                    yield from ((user, item.event, msgspec.json.decode(item.data)) for item in held.items)

    def check(self) -> None:
        """Hold what was told to who belonged when."""
        heard: dict[UserId, set[int]] = {one: set() for one in self.people}
        changes: dict[UserId, set[int]] = {one: set() for one in self.people}
        for user, event, data in self.told():
            if event == "message.new":
                heard[user].add(data["seq"])
            elif event in ("message.edited", "message.recalled", "reaction"):
                changes[user].add(data["change"])
                assert data["seq"] in self.spans[user], "a change of what was never shown"
        messages = dict(self.stage.rows("SELECT seq, sender_id FROM messages WHERE conversation_id = %s", self.key))
        changed = self.stage.rows(
            "SELECT seq, last_change FROM messages WHERE conversation_id = %s AND last_change > 0", self.key
        )
        for user in self.people:
            assert heard[user] <= self.spans[user], "told of a message that was not for that one"
        for user, join_seq in self.present().items():
            due = {seq for seq, sender in messages.items() if seq >= join_seq and sender != user}
            assert due <= heard[user]
            assert {change for seq, change in changed if seq >= join_seq} <= changes[user]

    def present(self) -> dict[UserId, int]:
        """Return who belongs now, from which message on."""
        return dict(
            self.stage.rows(
                "SELECT user_id, join_seq FROM conversation_participants WHERE conversation_id = %s"
                " AND left_seq IS NULL",
                self.key,
            )
        )

    @property
    def key(self) -> bytes:
        """The conversation's id, as the database has it."""
        return bytes.fromhex(self.chat)


ACT = st.tuples(
    st.sampled_from(["send", "send", "change", "invite", "invite", "remove", "work", "broker", "wait"]),
    st.integers(0, PEOPLE - 1),
    st.integers(0, 9),
)


@pytest.fixture(scope="module")
def random_stage(mysql_server: MySqlServer, redis_cluster: RedisCluster) -> Iterator[Stage]:
    """Give the module a stage."""
    with fresh_database(mysql_server, label="groups") as name, open_stage(mysql_server, redis_cluster, name) as stage:
        yield stage


@settings(
    max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow]
)
@given(acts=st.lists(ACT, min_size=10, max_size=40))
def test_who_belongs_hears_everything_and_nobody_else_anything(
    random_stage: Stage, acts: list[tuple[str, int, int]]
) -> None:
    world = World(random_stage)
    for kind, who, other in acts:
        with contextlib.suppress(GochatError):
            world.do(kind, who, other)
        world.note()
    world.settle()
    world.note()
    world.check()
