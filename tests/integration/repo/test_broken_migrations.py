"""Migrations that die, wait, fail or take too long: the next run ends them, and nobody else stands still."""

import contextlib
import threading
from collections.abc import Iterator
from pathlib import Path

import pymysql
import pytest

from gochat_core.errors import Unavailable
from gochat_repo import migrate as runner
from gochat_repo.migrate import MigrationRefused, load_migrations, migrate
from gochat_repo.mysql_errors import StatementFailed
from gochat_repo.mysql_pool import MySqlSettings
from local_stage.services.mysql import MySqlServer
from tests.fixtures.services import fresh_database
from tests.integration.repo.conftest import mysql_settings, wait_until


class Died(BaseException):
    """What becomes of a function that Lambda kills: no handler of ours gets to see it."""


@pytest.fixture
def settings(mysql_server: MySqlServer) -> Iterator[MySqlSettings]:
    with fresh_database(mysql_server, label="broken") as name:
        yield mysql_settings(mysql_server, name)


@pytest.fixture
def other(settings: MySqlSettings) -> Iterator[pymysql.cursors.Cursor]:
    """Look into the database beside the migrations."""
    connection = pymysql.connect(
        host=settings.mysql_host,
        port=settings.mysql_port,
        user=settings.mysql_user,
        database=settings.mysql_database,
        autocommit=True,
        ssl_disabled=True,
    )
    with contextlib.closing(connection):
        yield connection.cursor()


def write(folder: Path, text: str) -> list[runner.Migration]:
    (folder / "0001_step.sql").write_text(text)
    return load_migrations(folder)


def schema(cursor: pymysql.cursors.Cursor, database: str) -> list[tuple[object, ...]]:
    """Return every column and every key of a database."""
    found: list[tuple[object, ...]] = []
    for table, columns in (
        ("columns", "table_name, ordinal_position, column_name, column_type, is_nullable, column_default"),
        ("statistics", "table_name, index_name, seq_in_index, column_name, non_unique"),
    ):
        cursor.execute(
            f"SELECT {columns} FROM information_schema.{table} WHERE table_schema = %s ORDER BY 1, 2, 3", (database,)
        )
        found += cursor.fetchall()
    return found


def test_a_run_may_die_between_any_statement_and_its_record(
    mysql_server: MySqlServer, settings: MySqlSettings, other: pymysql.cursors.Cursor, monkeypatch: pytest.MonkeyPatch
) -> None:
    record, died_at = runner._record, set()

    def dying(cursor: pymysql.cursors.Cursor, migration: runner.Migration, done: int) -> None:
        place = (migration.version, done)
        if done and place not in died_at:
            died_at.add(place)
            raise Died
        record(cursor, migration, done)

    monkeypatch.setattr(runner, "_record", dying)
    statements = sum(len(migration.statements) for migration in load_migrations())
    for _ in range(statements):
        with pytest.raises(Died):
            migrate(settings)
    assert migrate(settings) == [load_migrations()[-1].name]
    with fresh_database(mysql_server, label="whole") as name:
        migrate(mysql_settings(mysql_server, name))
        assert schema(other, settings.mysql_database) == schema(other, name)


def test_rows_are_stored_together_with_the_record_of_it(
    settings: MySqlSettings, other: pymysql.cursors.Cursor, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    steps = write(tmp_path, "CREATE TABLE a (id INT); INSERT INTO a VALUES (1); UPDATE a SET id = id + 1;")
    record, died_at = runner._record, set()

    def dying(cursor: pymysql.cursors.Cursor, migration: runner.Migration, done: int) -> None:
        if done > 1 and done not in died_at:
            died_at.add(done)
            raise Died
        record(cursor, migration, done)

    monkeypatch.setattr(runner, "_record", dying)
    for _ in range(2):
        with pytest.raises(Died):
            migrate(settings, migrations=steps)
    assert migrate(settings, migrations=steps) == ["0001_step"]
    other.execute("SELECT id FROM a")
    assert list(other.fetchall()) == [(2,)]


def test_what_was_refused_may_be_corrected_and_what_was_done_may_not(settings: MySqlSettings, tmp_path: Path) -> None:
    done = "CREATE TABLE a (id INT);"
    for _ in range(2):
        with pytest.raises(StatementFailed, match="0001_step, statement 2"):
            migrate(settings, migrations=write(tmp_path, done + "INSERT INTO a VALUES ('no number');"))
    with pytest.raises(MigrationRefused, match="0001_step"):
        migrate(settings, migrations=write(tmp_path, "CREATE TABLE a (id BIGINT); INSERT INTO a VALUES (1);"))
    assert migrate(settings, migrations=write(tmp_path, done + "INSERT INTO a VALUES (1);")) == ["0001_step"]
    with pytest.raises(MigrationRefused, match="0001_step"):
        migrate(settings, migrations=write(tmp_path, done))


def test_a_run_that_a_former_release_left_half_done_is_ended(
    settings: MySqlSettings, other: pymysql.cursors.Cursor, tmp_path: Path
) -> None:
    steps = write(tmp_path, "CREATE TABLE a (id INT); CREATE TABLE b (id INT);")
    migrate(settings, migrations=steps)
    # Former releases noted the whole file's checksum from the beginning on.
    other.execute("UPDATE schema_migrations SET applied_statements = 1, is_complete = FALSE")
    assert migrate(settings, migrations=steps) == ["0001_step"]


def test_a_migration_waits_for_a_table_no_longer_than_others_can_stand_behind_it(
    settings: MySqlSettings, other: pymysql.cursors.Cursor, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(runner, "TABLE_WAIT_S", 1)
    steps = write(tmp_path, "ALTER TABLE a ADD COLUMN b INT NULL;")
    other.execute("CREATE TABLE a (id INT)")
    other.execute("BEGIN")
    other.execute("SELECT * FROM a")
    with pytest.raises(Unavailable):
        migrate(settings, migrations=steps)
    other.execute("COMMIT")
    assert migrate(settings, migrations=steps) == ["0001_step"]


SLOW = "CREATE TABLE a AS SELECT SLEEP(3) AS id;"


def test_a_statement_that_outlives_its_run_keeps_the_next_one_out_until_it_has_ended(
    settings: MySqlSettings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    steps = write(tmp_path, SLOW)
    monkeypatch.setattr(runner, "DDL_TIMEOUT_S", 0.5)
    monkeypatch.setattr(runner, "LOCK_WAIT_S", 0)
    with pytest.raises(Unavailable, match="took too long"):
        migrate(settings, migrations=steps)
    with pytest.raises(Unavailable, match="Another migration"):
        migrate(settings, migrations=steps)
    monkeypatch.setattr(runner, "DDL_TIMEOUT_S", 60)
    monkeypatch.setattr(runner, "LOCK_WAIT_S", 60)
    assert migrate(settings, migrations=steps) == ["0001_step"]


def test_a_release_that_is_taken_back_waits_for_no_migration(
    settings: MySqlSettings, other: pymysql.cursors.Cursor, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    older = write(tmp_path, "CREATE TABLE b (id INT);")
    migrate(settings, migrations=older)
    (tmp_path / "0002_slow.sql").write_text(SLOW)
    newer = threading.Thread(target=lambda: migrate(settings, migrations=load_migrations(tmp_path)))
    newer.start()
    wait_until(
        lambda: bool(other.execute("SELECT 1 FROM information_schema.processlist WHERE info LIKE 'CREATE%SLEEP%'"))
    )
    monkeypatch.setattr(runner, "LOCK_WAIT_S", 0)
    assert migrate(settings, migrations=older) == []
    assert newer.is_alive(), "the newer release's migration had ended before"
    newer.join()


def test_the_lock_goes_with_the_session_that_holds_it(
    settings: MySqlSettings, other: pymysql.cursors.Cursor, tmp_path: Path
) -> None:
    steps = write(tmp_path, SLOW)
    faults: list[BaseException] = []

    def run() -> None:
        try:
            migrate(settings, migrations=steps)
        except Unavailable as fault:
            faults.append(fault)

    first = threading.Thread(target=run)
    first.start()
    running = "SELECT id FROM information_schema.processlist WHERE info LIKE 'CREATE%SLEEP%'"
    wait_until(lambda: bool(other.execute(running)))
    other.execute(running)
    other.execute(f"KILL {other.fetchall()[0][0]}")
    first.join()
    assert len(faults) == 1
    assert migrate(settings, migrations=steps) == ["0001_step"]
