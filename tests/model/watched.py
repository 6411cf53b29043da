"""What a container of the model does input and output by: the real things, each of which passes by its strikes."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from gochat_aws.connections_api import Call, ConnectionsApi, Reply
from gochat_aws.kafka_producer import OutgoingRecord
from gochat_repo.cache import Cache, Command
from gochat_repo.mysql import Database, DeferredWrite, Params, Transaction
from gochat_repo.mysql_connection import Connection
from gochat_repo.mysql_pool import MySqlSettings
from task.push.providers.provider import Answer, Push, Sent
from tests.model.partitioned_log import PartitionedLog
from tests.model.strikes import Strikes


class WatchedDatabase(Database):
    """A database whose every round trip passes by its container's strikes."""

    def __init__(self, settings: MySqlSettings, strikes: Strikes) -> None:
        super().__init__(settings)
        self._strikes = strikes
        self._is_deferring = False

    def write_deferred(self, sql: str, params: Params) -> DeferredWrite:
        self._strikes.pass_by("database")
        self._is_deferring = True
        try:
            write = super().write_deferred(sql, params)
        finally:
            self._is_deferring = False
        try:
            self._strikes.pass_by("database")
        except BaseException:
            write.abandon()  # as the server does when it sees that the client is gone
            raise
        return write

    def _count(self) -> None:
        super()._count()
        if not self._is_deferring:
            self._strikes.pass_by("database")

    def _commit(self, connection: Connection, transaction: Transaction) -> None:
        super()._commit(connection, transaction)
        if transaction.wrote:
            self._strikes.commits += 1
            self._strikes.pass_by("database")


class WatchedCache(Cache):
    """A cache whose every pipeline passes by its container's strikes."""

    strikes: Strikes

    def run(self, commands: Sequence[Command]) -> list[Any]:
        if not commands:
            return []
        self.strikes.pass_by("cache")
        replies = super().run(commands)
        self.strikes.pass_by("cache")
        return replies


@dataclass
class WatchedProducer:
    """A producer of the shared log."""

    log: PartitionedLog
    strikes: Strikes

    def produce(self, records: Sequence[OutgoingRecord]) -> None:
        if records:
            self.strikes.pass_by("broker")
        self.log.produce(records)
        if records:
            self.strikes.pass_by("broker")


@dataclass
class WatchedPosts:
    """The cell's `@connections`, as one function reaches it."""

    api: ConnectionsApi
    strikes: Strikes

    def send_all(self, calls: Sequence[Call], *, timeout_s: float) -> list[Reply]:
        if calls:
            self.strikes.pass_by("posts")
        replies = self.api.send_all(calls, timeout_s=timeout_s)
        if calls:
            self.strikes.pass_by("posts")
        return replies


@dataclass
class WatchedInvoker:
    """Lambda, as one function hands work to another."""

    events: list[bytes]
    strikes: Strikes

    def invoke_event(self, payload: bytes) -> None:
        self.strikes.pass_by("events")
        self.events.append(payload)
        self.strikes.pass_by("events")


@dataclass
class WatchedPhones:
    """A push provider: keeps what it was given, and answers what it is told to, or that it has it."""

    strikes: Strikes
    sent: list[Push]
    answers: list[Answer]

    def service(self, push: Push) -> str:
        return ""

    def send(self, push: Push, *, timeout_s: float) -> Answer:
        self.strikes.pass_by("posts")
        self.sent.append(push)
        answer = self.answers.pop(0) if self.answers else Sent()
        self.strikes.pass_by("posts")
        return answer
