"""The way of a push through the real functions, one invocation at a time, each of which may die."""

import collections.abc
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import count
from typing import Any

import msgspec

from gochat_aws.kafka_producer import OutgoingRecord
from gochat_contracts.records import DEAD_LETTER_TOPIC, PUSH_TOPIC, TASK_TOPIC, UPSTREAM_TOPIC, DeadLetter, decode
from gochat_core.errors import Unavailable
from gochat_core.types import SessionId
from gochat_repo.mysql import Transaction, database_from
from gochat_repo.push_tokens import PushToken, list_push_tokens, save_push_token
from gochat_repo.sessions import NewSession, insert_session
from tests.fakes.clock import SettableClock
from tests.integration.messages.frames import ALICE, BOB, CHAT, PHONE, frame
from tests.model.cell import Cell
from tests.model.containers import Fleet
from tests.model.partitioned_log import PARTITIONS, Mapping, PartitionedLog
from tests.model.strikes import Died

ALL = tuple(range(PARTITIONS))

BETWEEN_MS = 60_000
"""From one message to the next: longer than a storm."""

_NAMES = count(1)


class PushWay:
    """Alice writes, Bob is away; the topics, the functions behind them, and what Bob's phone got."""

    def __init__(self, environ: collections.abc.Mapping[str, str], secret: str) -> None:
        self.clock = SettableClock()
        self.log = PartitionedLog(self.clock.now_ms)
        self.fleet = Fleet(clock=self.clock, log=self.log, posts=Cell(self.clock), secret=secret)
        self.database = database_from(environ)
        topics = {"upstream": UPSTREAM_TOPIC, "worker": TASK_TOPIC, "push": PUSH_TOPIC}
        self.mappings = {name: Mapping(log=self.log, topic=topic) for name, topic in topics.items()}
        self.deaths = 0

    def settle_in(self) -> None:
        """Make both accounts, unless they are there, and log Bob's phone in with a token."""

        def work(tx: Transaction) -> None:
            tx.execute_rows(
                "INSERT IGNORE INTO users (user_id, username, display_name, created_at_ms) VALUES",
                [(user_id, f"user{user_id}", f"User {user_id}", 1) for user_id in (ALICE, BOB)],
            )
            tx.execute("DELETE FROM sessions WHERE user_id = %s", (BOB,))
            session = NewSession(
                session_id=SessionId(2), user_id=BOB, device_id=PHONE, platform="ios", salt=b"x" * 16,
                opened_at_ms=1, expires_at_ms=1 << 52,
            )  # fmt: skip
            insert_session(tx, session)
            token = PushToken(user_id=BOB, device_id=PHONE, provider="fcm", token="bob", updated_at_ms=7)
            save_push_token(tx, token, identity="bob")

        self.database.transaction(work)

    def send(self) -> int:
        """Have Alice write, and return the message's seq; it has left `upstream`, and nothing of it is pushed yet."""
        self.clock.advance_ms(BETWEEN_MS)
        record = frame(f"m{next(_NAMES)}")
        assert record.value is not None
        self.log.produce([OutgoingRecord(topic=UPSTREAM_TOPIC, key=CHAT.encode(), value=record.value)])
        self.drain("upstream")
        row = self.database.read(
            lambda tx: tx.query("SELECT last_seq FROM conversations WHERE conversation_id = %s", (bytes.fromhex(CHAT),))
        )
        return int(row[0][0])

    def pump(self, function: str, orders: dict[int, Any] | None = None) -> bool:
        """Bring the next batch to its function; tells whether there was any."""
        batch = self.mappings[function].take(ALL, 100)
        if batch is None:
            return False
        self.mappings[function].settle(batch, self._invoke(function, batch.event, orders), only_failed=True)
        return True

    def drain(self, *functions: str) -> None:
        """Bring everything to its function, until nothing is left; what fails for ever fails here."""
        for _ in range(50):
            if not any(self.pump(function) for function in functions) and not self.hand_over():
                return
        raise AssertionError(f"{functions} never come to an end")

    def sent(self, seq: int) -> int:
        """Count how often Bob's phone was told of a message."""
        return sum(push.record.seq == seq for push in self.fleet.pushed)

    def fate(self, seq: int) -> tuple[str, str] | None:
        """Return what the push log says: outcome and reason."""
        sql = "SELECT outcome, reason FROM push_log WHERE user_id = %s AND conversation_id = %s AND seq = %s"
        rows = self.database.read(lambda tx: tx.query(sql, (BOB, bytes.fromhex(CHAT), seq)))
        return (rows[0][0], rows[0][1]) if rows else None

    def has_token(self) -> bool:
        """Tell whether Bob's phone can still be reached."""
        return bool(self.database.read(lambda tx: list_push_tokens(tx, [BOB], now_ms=1)))

    def dead_letters(self) -> list[DeadLetter]:
        """Return what was given up."""
        return [decode(DeadLetter, one.value) for one in self.log.of_topic(DEAD_LETTER_TOPIC)]

    def hand_over(self, orders: dict[int, Any] | None = None) -> bool:
        """Run what `push` handed to the worker, again and again until it is done, as Lambda and its queue do."""
        if not self.fleet.events:
            return False
        payload = self.fleet.events.pop(0)
        if self._invoke("worker", msgspec.json.decode(payload), orders) is None:
            self.fleet.events.append(payload)
        return True

    def _invoke(self, function: str, event: Any, orders: dict[int, Any] | None) -> Any:
        try:
            return self.fleet.invoke(function, event, orders=orders)
        except Died:
            self.deaths += 1
        except Unavailable:
            pass
        return None


@contextmanager
def push_way(environ: collections.abc.Mapping[str, str], secret: str) -> Iterator[PushWay]:
    """Wire the functions for the block."""
    way = PushWay(environ, secret)
    way.settle_in()
    try:
        with way.fleet.wired():
            yield way
    finally:
        way.database.close()
