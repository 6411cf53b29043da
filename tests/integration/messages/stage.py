"""The messages' side of im-logic over a real database and cache, with a broker that keeps what it is given."""

import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from itertools import count
from typing import Any

import msgspec

from gochat_aws.kafka_event import IncomingRecord
from gochat_aws.kafka_producer import OutgoingRecord, RecordProducer
from gochat_contracts.records import (
    DEAD_LETTER_TOPIC,
    TASK_TOPIC,
    DeadLetter,
    DownstreamItem,
    DownstreamRecord,
    Sender,
    TaskRecord,
    decode,
)
from gochat_core.clock import Clock
from gochat_core.ids import IdMaker
from gochat_core.types import ConnectionId, ConversationId, DeviceId, Seq, SessionId, UserId
from gochat_repo.cache import Cache, RedisSettings
from gochat_repo.connections import Connection, Connections
from gochat_repo.messages import StoredMessage, get_messages
from gochat_repo.mysql import Database, Transaction
from gochat_repo.mysql_pool import MySqlSettings
from logic.announce.announcer import Announcer
from logic.commands.submission import Submission
from logic.pipeline.rest_door import RestDoor, SentMessage
from logic.pipeline.store_commands import CommandStore
from logic.upstream.batch import UpstreamBatches, Verdicts
from tests.fakes.clock import SettableClock
from tests.fakes.producer import InMemoryProducer
from tests.integration.messages.frames import ALICE, CHAT, G1, PHONE, command

_GROUPS = count()


@dataclass(kw_only=True)
class Door:
    """One container of im-logic: the upstream topic's batches, and the REST door beside it."""

    database: Database
    cache: Cache
    clock: Clock
    connections: Connections
    store: CommandStore
    batches: UpstreamBatches
    rest: RestDoor
    announcer: Announcer

    def apply(self, *records: IncomingRecord) -> Verdicts:
        """Apply a batch as the handler does."""
        return self.batches.apply(records)

    def send_over_rest(
        self, client_msg_id: str, *, text: str = "hello", sender: UserId = ALICE, reply_to_seq: int | None = None
    ) -> SentMessage:
        """Send a message of the chat over REST."""
        asked = command(client_msg_id, text=text, conversation_id=CHAT)
        if reply_to_seq is not None:
            asked = msgspec.structs.replace(asked, reply_to_seq=Seq(reply_to_seq))
        return self.rest.send(
            Submission(
                sender=Sender(user_id=sender, device_id=PHONE, session_id=SessionId(1)),
                command=asked,
                accepted_at_ms=self.clock.now_ms(),
            )
        )

    def close(self) -> None:
        """Close the connections."""
        self.database.close()
        self.cache.close()


def open_door(
    mysql: MySqlSettings,
    redis: RedisSettings,
    producer: RecordProducer,
    clock: Clock,
    *,
    store_class: type[CommandStore] = CommandStore,
    database_class: type[Database] = Database,
) -> Door:
    """Build a container; nothing is connected yet."""
    database, cache = database_class(mysql), Cache(redis)
    connections = Connections(database, cache)
    store = store_class(database, IdMaker(clock), clock)
    announcer = Announcer(database, connections, producer, clock)
    return Door(
        database=database,
        cache=cache,
        clock=clock,
        connections=connections,
        store=store,
        batches=UpstreamBatches(store, announcer, producer, clock),
        rest=RestDoor(database, store, announcer),
        announcer=announcer,
    )


@dataclass(kw_only=True)
class Stage:
    """A migrated database and a cache, people in them, and one door."""

    mysql: MySqlSettings
    redis: RedisSettings
    clock: SettableClock = field(default_factory=SettableClock)
    producer: InMemoryProducer = field(default_factory=InMemoryProducer)
    doors: list[Door] = field(default_factory=list)

    def open_door(self, **classes: Any) -> Door:
        """Start another container."""
        door = open_door(self.mysql, self.redis, self.producer, self.clock, **classes)
        self.doors.append(door)
        return door

    def add_users(self, *user_ids: int) -> None:
        """Make accounts."""
        self.doors[0].database.transaction(
            lambda tx: tx.execute_rows(
                "INSERT INTO users (user_id, username, display_name, created_at_ms) VALUES",
                [(user_id, f"user{user_id}", f"User {user_id}", 1) for user_id in user_ids],
            )
        )

    def connect(self, user_id: UserId, device_id: DeviceId = PHONE) -> Connection:
        """Open a connection of one device."""
        connection = Connection(
            user_id=user_id,
            device_id=device_id,
            session_id=SessionId(1),
            cell_id=G1,
            connection_id=ConnectionId(f"{user_id}-{device_id}="),
            connected_at_ms=self.clock.now_ms(),
        )
        self.doors[0].connections.register(connection)
        return connection

    def items(self, user_id: UserId, event: str) -> list[DownstreamItem]:
        """Return what was announced to a user, in order."""
        return [
            item
            for record in self.producer.records
            if record.key == str(user_id).encode()
            for item in self.items_of(record)
            if item.event == event
        ]

    def devices(self, user_id: UserId, event: str) -> list[set[DeviceId]]:
        """Return for each event of this name which devices of a user it goes to."""
        found: list[set[DeviceId]] = []
        for record in self.producer.records:
            if record.topic == f"im-downstream-topic-{G1}" and record.key == str(user_id).encode():
                told = decode(DownstreamRecord, record.value)
                held = [one.device_id for one in told.connections]
                found += [
                    set(held) if item.to is None else {held[index] for index in item.to}
                    for item in told.items
                    if item.event == event
                ]
        return found

    @staticmethod
    def items_of(record: OutgoingRecord) -> Sequence[DownstreamItem]:
        """Return what a record tells; nothing if it isn't for a cell."""
        return decode(DownstreamRecord, record.value).items if record.topic == f"im-downstream-topic-{G1}" else ()

    def told(self, user_id: UserId, event: str) -> list[Any]:
        """Return the data of what was announced to a user."""
        return [msgspec.json.decode(item.data) for item in self.items(user_id, event)]

    def add_group(
        self, members: Sequence[UserId], *, join_seqs: Mapping[UserId, int] | None = None, is_large: bool = False
    ) -> ConversationId:
        """Make a conversation of several, as a group's is stored; the first one owns it if it `is_large`."""
        number = next(_GROUPS)
        conversation_id = ConversationId(f"{number:032x}")
        key = bytes.fromhex(conversation_id)

        def work(tx: Transaction) -> None:
            tx.execute(
                "INSERT INTO conversations"
                " (conversation_id, type, member_count, is_large, created_at_ms, updated_at_ms, activity_at_ms)"
                " VALUES (%s, 'group', %s, %s, 1, 1, 1)",
                (key, len(members), is_large),
            )
            for start in range(0, len(members), 5_000):
                tx.execute_rows(
                    "INSERT INTO conversation_participants"
                    " (conversation_id, user_id, join_seq, activity_at_ms, is_large) VALUES",
                    [
                        (key, user_id, (join_seqs or {}).get(user_id, 1), 1, is_large)
                        for user_id in members[start : start + 5_000]
                    ],
                )
            if is_large:
                tx.execute(
                    "INSERT INTO `groups` (group_id, conversation_id, name, owner_id, created_at_ms)"
                    " VALUES (%s, %s, 'Large', %s, 1)",
                    (number + 1, key, members[0]),
                )

        self.doors[0].database.transaction(work)
        return conversation_id

    def message(self, seq: int, chat: ConversationId = CHAT) -> StoredMessage:
        """Return a stored message."""
        (found,) = self.doors[0].database.read(lambda tx: get_messages(tx, [(chat, Seq(seq))]))
        return found

    def tasks(self) -> list[TaskRecord]:
        """Return the tasks that were written."""
        return [decode(TaskRecord, record.value) for record in self.producer.of_topic(TASK_TOPIC)]

    def dead_letters(self) -> list[DeadLetter]:
        """Return the records that were given up."""
        return [decode(DeadLetter, record.value) for record in self.producer.of_topic(DEAD_LETTER_TOPIC)]

    def rows(self, statement: str, *params: object) -> Sequence[tuple[Any, ...]]:
        """Look into the database."""
        return self.doors[0].database.read(lambda tx: tx.query(statement, params))

    def stored(self, conversation_id: ConversationId = CHAT) -> list[tuple[int, str]]:
        """Return the numbers and client_msg_ids of a conversation."""
        return [
            (seq, client_msg_id)
            for seq, client_msg_id in self.rows(
                "SELECT seq, client_msg_id FROM messages WHERE conversation_id = %s ORDER BY seq",
                bytes.fromhex(conversation_id),
            )
        ]

    def outbox(self) -> int:
        """Return how many announcements are outstanding."""
        return int(self.rows("SELECT COUNT(*) FROM outbox")[0][0])

    def check_all_announced(self) -> None:
        """Fail unless the outbox becomes empty: its rows go without anybody waiting for it."""
        deadline = time.monotonic() + 10
        while self.outbox():
            assert time.monotonic() < deadline, "an announcement is outstanding"
            time.sleep(0.01)

    @staticmethod
    def check_settled(door: Door) -> None:
        """Wait until what a door sent without waiting for it has happened: its next statement comes after it."""
        door.database.read(lambda tx: tx.query("SELECT 1"))

    def close(self) -> None:
        """Close every door."""
        for door in self.doors:
            door.close()
