"""A container that dies in the middle of a batch, as a process of its own; run by test_crashes.py.

Arguments: the settings and the records as JSON, and where to die.
"""

import base64
import os
import sys
from collections.abc import Sequence

import msgspec

from gochat_aws.kafka_producer import OutgoingRecord
from gochat_core.clock import SystemClock
from gochat_repo.cache import RedisSettings
from gochat_repo.mysql import Database, Transaction
from gochat_repo.mysql_connection import Connection
from gochat_repo.mysql_pool import MySqlSettings
from tests.integration.messages.frames import incoming
from tests.integration.messages.stage import open_door

DIED = 42


class DyingProducer:
    """Dies when the announcement is to be flushed: everything is committed, nobody has heard of it."""

    def produce(self, records: Sequence[OutgoingRecord]) -> None:
        os._exit(DIED)


class DyingDatabase(Database):
    """Dies when everything is written and nothing committed."""

    def _commit(self, connection: Connection, transaction: Transaction) -> None:
        os._exit(DIED)


class Job(msgspec.Struct, kw_only=True):
    """What to do."""

    mysql: MySqlSettings
    redis: RedisSettings
    records: list[tuple[str, str]]
    die_at: str


def main() -> None:
    """Apply the batch and die; exits with 0 only if it never came to the place."""
    job = msgspec.json.decode(sys.stdin.buffer.read(), type=Job)
    door = open_door(
        job.mysql,
        job.redis,
        DyingProducer(),
        SystemClock(),
        database_class=DyingDatabase if job.die_at == "commit" else Database,
    )
    door.apply(*(incoming(base64.b64decode(value), key=base64.b64decode(key)) for key, value in job.records))


if __name__ == "__main__":
    main()
