import threading
from pathlib import Path

import pymysql
import pytest

from gochat_repo.migrate import MigrationRefused, load_migrations, migrate
from gochat_repo.mysql_errors import StatementFailed
from gochat_repo.mysql_pool import MySqlSettings
from local_stage.services.mysql import MySqlServer
from tests.fixtures.services import fresh_database
from tests.integration.repo.conftest import mysql_settings


@pytest.fixture
def settings(mysql_server: MySqlServer) -> MySqlSettings:
    with fresh_database(mysql_server, label="migrate") as name:
        return mysql_settings(mysql_server, name)  # dropped again: the runner creates it


@pytest.fixture
def cursor(mysql_server: MySqlServer) -> pymysql.cursors.Cursor:
    connection = pymysql.connect(
        host=mysql_server.host, port=mysql_server.port, user=mysql_server.user, autocommit=True, ssl_disabled=True
    )
    return connection.cursor()


def write(folder: Path, *texts: str) -> Path:
    for number, text in enumerate(texts, start=1):
        (folder / f"{number:04d}_step.sql").write_text(text)
    return folder


def test_a_missing_database_is_made_and_a_second_run_finds_nothing_to_do(settings: MySqlSettings) -> None:
    assert migrate(settings) == [migration.name for migration in load_migrations()]
    assert migrate(settings) == []


def test_two_runners_at_once_apply_each_migration_once(settings: MySqlSettings, tmp_path: Path) -> None:
    migrations = load_migrations(write(tmp_path, "CREATE TABLE a (id INT); INSERT INTO a VALUES (1);"))
    applied: list[list[str]] = []
    threads = [
        threading.Thread(target=lambda: applied.append(migrate(settings, migrations=migrations))) for _ in range(3)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(applied) == [[], [], ["0001_step"]]


def test_a_run_that_broke_off_goes_on_where_it_stopped(
    settings: MySqlSettings, tmp_path: Path, cursor: pymysql.cursors.Cursor
) -> None:
    broken = "CREATE TABLE a (id INT PRIMARY KEY); INSERT INTO a VALUES (1); INSERT INTO b VALUES (1);"
    migrations = load_migrations(write(tmp_path, broken))
    with pytest.raises(StatementFailed):
        migrate(settings, migrations=migrations)
    cursor.execute(f"CREATE TABLE `{settings.mysql_database}`.b (id INT)")
    assert migrate(settings, migrations=migrations) == ["0001_step"]
    cursor.execute(f"SELECT COUNT(*) FROM `{settings.mysql_database}`.a")
    assert cursor.fetchone() == (1,)


def test_a_statement_whose_record_was_lost_is_not_an_error(
    settings: MySqlSettings, tmp_path: Path, cursor: pymysql.cursors.Cursor
) -> None:
    migrations = load_migrations(write(tmp_path, "CREATE TABLE a (id INT); CREATE TABLE b (id INT);"))
    migrate(settings, migrations=migrations)
    cursor.execute(
        f"UPDATE `{settings.mysql_database}`.schema_migrations SET is_complete = FALSE, applied_statements = 1"
    )
    assert migrate(settings, migrations=migrations) == ["0001_step"]


def test_a_table_that_was_there_before_the_migration_is_an_error(
    settings: MySqlSettings, tmp_path: Path, cursor: pymysql.cursors.Cursor
) -> None:
    migrate(settings, migrations=load_migrations(write(tmp_path, "CREATE TABLE b (id INT);")))
    cursor.execute(f"CREATE TABLE `{settings.mysql_database}`.a (id INT)")
    steps = load_migrations(write(tmp_path, "CREATE TABLE b (id INT);", "CREATE TABLE a (id INT);"))
    for _ in ("the first run", "the next one: what the server refused is not taken for done"):
        with pytest.raises(StatementFailed, match="0002_step, statement 1: Table 'a' already exists"):
            migrate(settings, migrations=steps)


def test_a_changed_file_is_refused(settings: MySqlSettings, tmp_path: Path) -> None:
    migrate(settings, migrations=load_migrations(write(tmp_path, "CREATE TABLE a (id INT);")))
    with pytest.raises(MigrationRefused, match="0001_step"):
        migrate(settings, migrations=load_migrations(write(tmp_path, "CREATE TABLE a (id BIGINT);")))


def test_a_database_that_a_newer_release_migrated_is_left_alone(settings: MySqlSettings, tmp_path: Path) -> None:
    newer = load_migrations(write(tmp_path, "CREATE TABLE a (id INT);", "CREATE TABLE b (id INT);"))
    migrate(settings, migrations=newer)
    assert migrate(settings, migrations=newer[:1]) == []


def test_a_number_that_was_left_out_may_come_later(settings: MySqlSettings, tmp_path: Path) -> None:
    steps = load_migrations(write(tmp_path, "CREATE TABLE a (id INT);", "CREATE TABLE b (id INT);"))
    assert migrate(settings, migrations=steps[1:]) == ["0002_step"]
    assert migrate(settings, migrations=steps) == ["0001_step"]
