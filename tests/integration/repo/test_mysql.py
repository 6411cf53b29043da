import threading
from collections.abc import Iterator
from typing import Any

import msgspec
import psutil
import pymysql
import pytest

from gochat_core.errors import ConversationNotFound, Unavailable
from gochat_repo.migrate import migrate
from gochat_repo.mysql import Database, Transaction
from gochat_repo.mysql_connection import Connection
from gochat_repo.mysql_errors import DataFault, DuplicateKey, StatementFailed
from gochat_repo.mysql_pool import MySqlSettings
from local_stage.services.mysql import MySqlServer
from tests.integration.repo.conftest import mysql_settings, wait_until


@pytest.fixture(autouse=True)
def _notes(admin: pymysql.cursors.Cursor) -> Iterator[None]:
    admin.execute("CREATE TABLE notes (id INT PRIMARY KEY, text VARCHAR(40) NOT NULL) COLLATE utf8mb4_bin")
    admin.execute("INSERT INTO notes VALUES (1, 'one'), (2, 'two')")
    yield
    admin.execute("DROP TABLE notes")


def note(tx: Transaction, number: int = 1) -> Any:
    return tx.query("SELECT text FROM notes WHERE id = %s", (number,))[0][0]


def connection_id(tx: Transaction) -> int:
    return int(tx.query("SELECT CONNECTION_ID()")[0][0])


def test_a_committed_transaction_is_seen_by_everybody(database: Database, admin: pymysql.cursors.Cursor) -> None:
    database.transaction(lambda tx: tx.execute("UPDATE notes SET text = 'new' WHERE id = 1"))
    admin.execute("SELECT text FROM notes WHERE id = 1")
    assert admin.fetchone() == ("new",)


def test_what_work_raises_rolls_back_and_reaches_the_caller(database: Database) -> None:
    def work(tx: Transaction) -> None:
        tx.execute("UPDATE notes SET text = 'new' WHERE id = 1")
        raise ConversationNotFound

    with pytest.raises(ConversationNotFound):
        database.transaction(work)
    assert database.read(note) == "one"


def test_round_trips_are_the_statements_and_one_commit(database: Database) -> None:
    database.read(lambda tx: [note(tx), note(tx)])
    assert database.round_trips == 2
    database.transaction(lambda tx: tx.execute("UPDATE notes SET text = 'new' WHERE id = 1"))
    assert database.round_trips == 4
    database.transaction(note)
    assert database.round_trips == 5, "a transaction that wrote nothing needs no COMMIT"


def test_a_read_leaves_no_transaction_open(database: Database, admin: pymysql.cursors.Cursor) -> None:
    own = database.read(connection_id)

    def is_idle() -> bool:
        admin.execute("SELECT COUNT(*) FROM information_schema.innodb_trx WHERE trx_mysql_thread_id = %s", (own,))
        return admin.fetchone() == (0,)

    wait_until(is_idle)


def test_a_connection_that_died_between_two_calls_goes_unnoticed(
    database: Database, admin: pymysql.cursors.Cursor
) -> None:
    admin.execute(f"KILL {database.read(connection_id)}")
    assert database.read(note) == "one"


def test_a_connection_that_dies_before_commit_has_the_work_run_again(
    database: Database, admin: pymysql.cursors.Cursor
) -> None:
    runs: list[int] = []

    def work(tx: Transaction) -> None:
        runs.append(connection_id(tx))
        tx.execute("UPDATE notes SET text = CONCAT(text, '!') WHERE id = 1")
        if len(runs) == 1:
            admin.execute(f"KILL {runs[0]}")
        note(tx)

    database.transaction(work)
    assert len(runs) == 2
    assert database.read(note) == "one!"


def test_an_unknown_outcome_of_commit_is_told_and_not_tried_again(
    database: Database, admin: pymysql.cursors.Cursor
) -> None:
    runs: list[int] = []

    def work(tx: Transaction) -> None:
        runs.append(connection_id(tx))
        tx.execute("UPDATE notes SET text = 'new' WHERE id = 1")
        admin.execute(f"KILL {runs[-1]}")

    with pytest.raises(Unavailable, match="not known"):
        database.transaction(work)
    assert len(runs) == 1
    assert database.read(note) == "one"


def test_two_transactions_that_deadlock_both_succeed(migrated: MySqlSettings) -> None:
    database = Database(migrated)
    both_hold_one = threading.Barrier(2)
    first_runs = [True, True]

    def work(tx: Transaction, mine: int, other: int) -> None:
        tx.execute("UPDATE notes SET text = CONCAT(text, '!') WHERE id = %s", (mine,))
        if first_runs[mine - 1]:
            first_runs[mine - 1] = False
            both_hold_one.wait(10)
        tx.execute("UPDATE notes SET text = CONCAT(text, '!') WHERE id = %s", (other,))

    threads = [
        threading.Thread(target=database.transaction, args=(lambda tx, a=a, b=b: work(tx, a, b),))
        for a, b in ((1, 2), (2, 1))
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert database.read(lambda tx: [note(tx, 1), note(tx, 2)]) == ["one!!", "two!!"]
    database.close()


def test_a_lock_that_is_let_go_late_is_waited_for_by_running_again(migrated: MySqlSettings) -> None:
    holder = pymysql.connect(
        host=migrated.mysql_host,
        port=migrated.mysql_port,
        user=migrated.mysql_user,
        database=migrated.mysql_database,
        ssl_disabled=True,
    )
    holder.cursor().execute("UPDATE notes SET text = 'held' WHERE id = 1")
    pauses: list[float] = []

    def let_go(pause_s: float) -> None:
        pauses.append(pause_s)
        if len(pauses) == 1:
            holder.rollback()

    database = Database(migrated, pause=let_go)
    database.transaction(lambda tx: tx.execute("UPDATE notes SET text = 'new' WHERE id = 1"))
    assert len(pauses) == 1
    assert database.read(note) == "new"
    database.close()
    holder.close()


def test_values_are_bound_never_formatted(database: Database) -> None:
    text = "%s '; DROP TABLE -- \\' \" 🙂\x00\n\r\x1a\\\\'"
    database.transaction(lambda tx: tx.execute_rows("INSERT INTO notes VALUES", [(3, text), (4, "x")]))
    assert database.read(lambda tx: note(tx, 3)) == text
    assert database.read(lambda tx: tx.query("SELECT id FROM notes WHERE text IN %s", ((text, "two"),))) == [(2,), (3,)]


@pytest.mark.parametrize(
    ("statement", "expected"),
    [
        ("INSERT INTO notes VALUES (1, 'again')", DuplicateKey),
        ("INSERT INTO notes VALUES (9, REPEAT('x', 41))", DataFault),
        ("INSERT INTO notes VALUES (9, NULL)", DataFault),
        ("INSERT INTO nowhere VALUES (1)", StatementFailed),
        ("UPDATE notes SET", StatementFailed),
    ],
)
def test_what_would_fail_again_is_told_apart(database: Database, statement: str, expected: type[Exception]) -> None:
    with pytest.raises(StatementFailed) as raised:
        database.transaction(lambda tx: tx.execute(statement))
    assert type(raised.value) is expected
    assert database.read(note) == "one", "the connection stays usable"


def test_a_deferred_write_happens_with_its_commit_alone(database: Database, admin: pymysql.cursors.Cursor) -> None:
    database.write_deferred("DELETE FROM notes WHERE id = %s", (1,)).abandon()
    deferred = database.write_deferred("DELETE FROM notes WHERE id IN %s", ((2,),))
    admin.execute("SELECT COUNT(*) FROM notes")
    assert admin.fetchone() == (2,)
    deferred.commit()
    assert database.read(lambda tx: tx.query("SELECT id FROM notes")) == [(1,)]


def test_a_deferred_write_whose_connection_dies_harms_nobody(database: Database, admin: pymysql.cursors.Cursor) -> None:
    own = database.read(connection_id)
    deferred = database.write_deferred("DELETE FROM notes WHERE id = 1", ())
    admin.execute(f"KILL {own}")
    deferred.commit()
    assert database.read(note) == "one"


def test_a_stopped_server_is_unavailable_and_found_again_when_it_is_back(own_mysql: MySqlServer) -> None:
    migrate(mysql_settings(own_mysql, "gochat"))
    database = Database(mysql_settings(own_mysql, "gochat"))
    count = "SELECT COUNT(*) FROM users"
    assert database.read(lambda tx: tx.query(count)) == [(0,)]
    own_mysql.stop()
    with pytest.raises(Unavailable):
        database.read(lambda tx: tx.query(count))
    own_mysql.restart()
    assert database.read(lambda tx: tx.query(count)) == [(0,)]
    database.close()


def test_a_frozen_server_is_unavailable_after_the_read_timeout(own_mysql: MySqlServer) -> None:
    migrate(mysql_settings(own_mysql, "gochat"))
    database = Database(mysql_settings(own_mysql, "gochat", read_timeout_s=0.5))
    assert database.read(lambda tx: tx.query("SELECT 1")) == [(1,)]
    own_mysql.pause()
    wait_until(lambda: psutil.Process(own_mysql.pid).status() == psutil.STATUS_STOPPED)
    with pytest.raises(Unavailable):
        database.read(lambda tx: tx.query("SELECT 1"))
    own_mysql.resume()
    wait_until(lambda: _answers(database))
    database.close()


def test_a_connection_that_was_idle_for_long_is_not_trusted(migrated: MySqlSettings) -> None:
    database = Database(msgspec.structs.replace(migrated, mysql_max_idle_s=0.0))
    assert database.read(connection_id) != database.read(connection_id)
    database.close()


def test_connection_internals_are_still_called_as_we_call_them() -> None:
    for name in ("_execute_command", "_read_query_result", "_force_close"):
        assert callable(getattr(Connection, name))
    held = pymysql.connections.Connection(defer_connect=True, read_timeout=7)
    assert held._sock is None  # type: ignore[attr-defined]
    assert held._read_timeout == 7  # type: ignore[attr-defined]


def _answers(database: Database) -> bool:
    try:
        return database.read(lambda tx: tx.query("SELECT 1")) == [(1,)]
    except Unavailable:
        return False
