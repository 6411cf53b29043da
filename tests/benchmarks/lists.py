# ruff: noqa: T201  # a benchmark prints
"""Measures listing, catching up and history beside their naive twins: time, database round trips, rows read."""

import argparse
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from statistics import median, quantiles

from gochat_core.clock import SystemClock
from gochat_core.types import ConversationId, UserId
from gochat_repo.migrate import migrate
from gochat_repo.mysql import Database, Transaction
from gochat_repo.mysql_pool import MySqlSettings
from local_stage.services.mysql import start_mysql
from logic.conversations.list_conversations import list_conversations
from logic.messages.list_messages import list_messages
from logic.sync.plan_sync import REACH_BACK_MS, SyncCursor
from logic.sync.sync_conversations import sync_conversations
from tests.benchmarks.messages_stage import show_machine
from tests.fixtures.bulk_chats import insert_chats, lengthen_chat
from tests.fixtures.row_reads import row_reads

BUSY, LISTER, READER = UserId(1), UserId(2), UserId(3)
CHATS, LISTED, CHANGED, LONG = 10_000, 1_000, 20, 1_000_000
PAGE = 50
LIST_TRIPS, SYNC_TRIPS, SYNC_ROWS = 3, 4, 50

HISTORY_SPREAD = 0.5
"""Two medians of the same work differ by less than this share of each other, or the page's place costs something."""


@dataclass(frozen=True, kw_only=True)
class Figures:
    """What one kind of call costs."""

    ms: float
    low_ms: float
    high_ms: float
    trips: int
    rows: int


@dataclass(frozen=True, kw_only=True)
class Bench:
    """A database with people in it, and what they have."""

    database: Database
    busy_chats: list[ConversationId]
    listed_chats: list[ConversationId]
    long_chat: ConversationId


def main() -> None:
    """Print each beside its naive twin, and how it stands against its budget."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=60)
    parser.add_argument("--long", type=int, default=LONG, help="messages of the long conversation")
    options = parser.parse_args()
    show_machine()
    with running_bench(options.long) as bench:
        print(f"{options.rounds} calls each: median (10th to 90th percentile), round trips, rows that MySQL read")
        compare_lists(bench, options.rounds)
        compare_syncs(bench, options.rounds)
        compare_history(bench, options.rounds, options.long)


@contextmanager
def running_bench(long: int) -> Iterator[Bench]:
    """Start MySQL; one user with 10,000 chats, one with 1,000, one with a chat of a million messages."""
    with tempfile.TemporaryDirectory() as folder:
        mysql = start_mysql(Path(folder) / "mysql")
        try:
            settings = MySqlSettings(
                mysql_host=mysql.host, mysql_port=mysql.port, mysql_user=mysql.user, mysql_database="gochat"
            )
            migrate(settings)
            database = Database(settings)
            ago_ms = SystemClock().now_ms() - 10 * REACH_BACK_MS - 10 * CHATS
            (long_chat,) = insert_chats(database, READER, [UserId(90_000)], at_ms=ago_ms - 2 * long)
            lengthen_chat(database, long_chat, last_seq=long)
            yield Bench(
                database=database,
                busy_chats=insert_chats(database, BUSY, users(10_000, CHATS), at_ms=ago_ms),
                listed_chats=insert_chats(database, LISTER, users(50_000, LISTED), at_ms=ago_ms),
                long_chat=long_chat,
            )
            database.close()
        finally:
            mysql.stop()


def users(first: int, count: int) -> list[UserId]:
    """Name users."""
    return [UserId(first + number) for number in range(count)]


def compare_lists(bench: Bench, rounds: int) -> None:
    """GET /conversations, first page of 1,000."""
    database = bench.database
    print(f"\nGET /conversations: {PAGE} of {LISTED:,}")
    ours = show(
        "ours", measure(database, lambda: list_conversations(database, LISTER, limit=PAGE, cursor=None), rounds)
    )
    show(
        "naive: a query each for conversation, peer, message, unread",
        measure(database, lambda: naive_list(database), 5),
    )
    judge(f"at most {LIST_TRIPS} round trips", ours.trips <= LIST_TRIPS)


def compare_syncs(bench: Bench, rounds: int) -> None:
    """POST /sync after 20 of 10,000 conversations changed, with 1,000 cursors named."""
    database, clock = bench.database, SystemClock()
    token = sync_conversations(database, clock, BUSY, token=None, cursors={}).token
    while (answer := sync_conversations(database, clock, BUSY, token=token, cursors={})).has_more:
        token = answer.token
    token = answer.token
    change(database, bench.busy_chats[:: CHATS // CHANGED], clock.now_ms())
    cursors = {chat: SyncCursor(seq=1, change=0) for chat in bench.busy_chats[:1_000]}

    def sync() -> None:
        told = sync_conversations(database, clock, BUSY, token=token, cursors=cursors)
        assert (len(told.conversations), sum(len(one.messages) for one in told.conversations)) == (CHANGED, CHANGED)

    print(f"\nPOST /sync: {CHANGED} of {CHATS:,} conversations changed, 1,000 cursors named")
    ours = show("ours", measure(database, sync, rounds))
    held = dict.fromkeys(bench.busy_chats, 1)
    show("naive: ask each conversation for its end", measure(database, lambda: naive_sync(database, held), 2))
    judge(f"at most {SYNC_TRIPS} round trips", ours.trips <= SYNC_TRIPS)
    judge(f"at most {SYNC_ROWS} rows read for each that changed", ours.rows <= SYNC_ROWS * CHANGED)


def compare_history(bench: Bench, rounds: int, long: int) -> None:
    """GET …/messages at the beginning and at the end of a long conversation."""
    database = bench.database
    print(f"\nGET /conversations/…/messages: {PAGE} messages of {long:,}")

    def ours(seq: int) -> Callable[[], object]:
        return lambda: list_messages(database, READER, bench.long_chat, before_seq=None, after_seq=seq, limit=PAGE)

    near = show("ours, after seq 100", measure(database, ours(100), rounds))
    far = show(f"ours, after seq {long - PAGE:,}", measure(database, ours(long - PAGE), rounds))
    show("naive: LIMIT with OFFSET, seq 100", measure(database, lambda: naive_history(bench, 100), 5))
    show(
        f"naive: LIMIT with OFFSET, seq {long - PAGE:,}",
        measure(database, lambda: naive_history(bench, long - PAGE), 5),
    )
    judge("the same rows at both ends", abs(near.rows - far.rows) <= 2)
    judge("the same time at both ends", abs(near.ms - far.ms) <= HISTORY_SPREAD * max(near.ms, far.ms))


def change(database: Database, chats: list[ConversationId], now_ms: int) -> None:
    """Let a second message come into each of these chats."""
    keys = tuple(bytes.fromhex(chat) for chat in chats)

    def work(tx: Transaction) -> None:
        tx.execute(
            "INSERT INTO messages (conversation_id, seq, message_id, sender_id, client_msg_id, content_hash, type,"
            " content, created_at_ms) SELECT conversation_id, 2, message_id + 1, sender_id, 'new', content_hash, type,"
            " content, %s FROM messages WHERE conversation_id IN %s",
            (now_ms, keys),
        )
        tx.execute(
            "UPDATE conversations c JOIN conversation_participants p USING (conversation_id)"
            " SET c.last_seq = 2, p.activity_at_ms = %s WHERE c.conversation_id IN %s",
            (now_ms, keys),
        )

    database.transaction(work)


def naive_list(database: Database) -> None:
    """Do what one writes first: the list, and then each row's company."""

    def work(tx: Transaction) -> None:
        query = tx.query
        for conversation, read_seq in query(
            "SELECT conversation_id, read_seq FROM conversation_participants WHERE user_id = %s"
            " ORDER BY activity_at_ms DESC LIMIT %s",
            (LISTER, PAGE),
        ):
            query("SELECT type, last_seq FROM conversations WHERE conversation_id = %s", (conversation,))
            query(
                "SELECT username, display_name FROM conversation_participants JOIN users USING (user_id)"
                " WHERE conversation_id = %s AND user_id <> %s",
                (conversation, LISTER),
            )
            query("SELECT content FROM messages WHERE conversation_id = %s ORDER BY seq DESC LIMIT 1", (conversation,))
            query("SELECT COUNT(*) FROM messages WHERE conversation_id = %s AND seq > %s", (conversation, read_seq))

    database.read(work)


def naive_sync(database: Database, held: dict[ConversationId, int]) -> None:
    """Do what one writes first: compare every conversation with what the device holds."""

    def work(tx: Transaction) -> None:
        query = tx.query
        for chat, seq in held.items():
            query(
                "SELECT seq, content FROM messages WHERE conversation_id = %s AND seq > %s ORDER BY seq LIMIT 100",
                (bytes.fromhex(chat), seq),
            )

    database.read(work)


def naive_history(bench: Bench, seq: int) -> None:
    """Do what one writes first: skip what comes before."""
    bench.database.read(
        lambda tx: tx.query(
            "SELECT seq, content FROM messages WHERE conversation_id = %s ORDER BY seq LIMIT %s OFFSET %s",
            (bytes.fromhex(bench.long_chat), PAGE, seq),
        )
    )


def measure(database: Database, work: Callable[[], object], rounds: int) -> Figures:
    """Time each call on its own, behind two that warm up."""
    for _ in range(2):
        work()
    before = database.round_trips
    work()
    trips = database.round_trips - before
    times: list[float] = []
    for _ in range(max(2, rounds)):
        started = time.perf_counter()
        work()
        times.append((time.perf_counter() - started) * 1000)
    deciles = quantiles(times, n=10)
    return Figures(
        ms=median(times), low_ms=deciles[0], high_ms=deciles[-1], trips=trips, rows=row_reads(database, work)
    )


def show(name: str, figures: Figures) -> Figures:
    """Print one line and return the figures."""
    spread = f"({max(0.0, figures.low_ms):.2f} to {figures.high_ms:.2f})"
    print(f"  {name:<58} {figures.ms:9.2f} ms {spread:<20} {figures.trips:6,} trips {figures.rows:9,} rows")
    return figures


def judge(budget: str, is_met: bool) -> None:
    """Print whether a budget is met."""
    print(f"  {'met   ' if is_met else 'MISSED'} {budget}")


if __name__ == "__main__":
    main()
