"""What would break the code that still runs is noticed when its statements are said on the new schema."""

import hashlib
from collections.abc import Iterator

import pytest

from gochat_repo.migrate import Migration
from gochat_repo.mysql_pool import MySqlSettings
from local_stage.services.mysql import MySqlServer
from tests.fixtures.services import fresh_database
from tests.integration.repo.conftest import mysql_settings
from tests.integration.schema.replay import behaviour, differences

TABLE = """
CREATE TABLE people (
  person_id BIGINT UNSIGNED NOT NULL,
  name VARCHAR(32) NOT NULL,
  nick VARCHAR(32) NULL,
  role ENUM('owner', 'admin', 'member') NOT NULL,
  born_ms BIGINT NOT NULL,
  PRIMARY KEY (person_id),
  KEY people_born (born_ms)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_bin
"""
STATEMENTS = (
    "INSERT INTO people (person_id, name, nick, role, born_ms)"
    " VALUES (2000000000000000000, '😀AAAAAAAAAAAAAA', NULL, 'owner', 2000000000000000000)",
    "INSERT INTO people (person_id, name, nick, role, born_ms) VALUES (100, 'AAAA', 'AAAA', 'admin', 30000)",
    "SELECT name, role, born_ms FROM people FORCE INDEX (people_born) WHERE born_ms >= 30000",
    "UPDATE people SET nick = 'AAAAAAAAAAAAAAAAAAAAAAAA' WHERE person_id = 2000000000000000000",
    "DELETE FROM people WHERE person_id = 2000000000000000000",
)
CARELESS = (
    "SELECT * FROM people",
    "INSERT INTO people VALUES (1, 'AAAA', NULL, 'owner', 1)",
)

FINE = {
    "a column that may be null": "ALTER TABLE people ADD COLUMN age INT NULL, ALGORITHM=INSTANT",
    "a column with a default": "ALTER TABLE people ADD COLUMN age INT NOT NULL DEFAULT 0 FIRST, ALGORITHM=INSTANT",
    "a key": "ALTER TABLE people ADD KEY people_name (name), ALGORITHM=INPLACE, LOCK=NONE",
    "a key that was unique without it": "ALTER TABLE people ADD UNIQUE KEY (person_id, name)",
    "a table": "CREATE TABLE houses (house_id INT PRIMARY KEY)",
    "a wider text": "ALTER TABLE people MODIFY name VARCHAR(64) NOT NULL",
    "one word more": "ALTER TABLE people MODIFY role ENUM('owner', 'admin', 'member', 'guest') NOT NULL",
}
BAD = {
    "a column goes": ("DROP COLUMN name", "1054 Unknown column 'name'"),
    "a column has another name": ("CHANGE name title VARCHAR(32) NOT NULL", "1054 Unknown column 'name'"),
    "the table has another name": ("RENAME TO folk", "1146 Table"),
    "a key goes that is asked for": ("DROP KEY people_born", "1176 Key 'people_born' doesn't exist"),
    "a new column wants a value": ("ADD COLUMN age INT NOT NULL", "1364 Field 'age' doesn't have a default value"),
    "a key becomes unique": ("ADD UNIQUE KEY (name)", "people: (name) must be unique now"),
    "a shorter text": ("MODIFY nick VARCHAR(8) NULL", "1406 Data too long for column 'nick'"),
    "a text that takes fewer characters": ("MODIFY name VARCHAR(32) CHARACTER SET ascii NOT NULL", "1366 Incorrect"),
    "a narrower number": ("MODIFY born_ms INT NOT NULL", "1264 Out of range value for column 'born_ms'"),
    "another type": ("MODIFY born_ms VARCHAR(32) NOT NULL", "instead of"),
    "no null any more": ("MODIFY nick VARCHAR(32) NOT NULL", "1048 Column 'nick' cannot be null"),
    "one word less": ("MODIFY role ENUM('owner', 'member') NOT NULL", "1265 Data truncated for column 'role'"),
    "a condition": ("ADD CONSTRAINT old CHECK (born_ms < 5)", "4025 CONSTRAINT `old` failed"),
}


@pytest.fixture
def settings(mysql_server: MySqlServer) -> Iterator[MySqlSettings]:
    """Give the test an empty database."""
    with fresh_database(mysql_server, label="replay") as name:
        yield mysql_settings(mysql_server, name)


def step(version: int, statement: str) -> Migration:
    """Make a migration of one statement."""
    checksum = hashlib.sha256(statement.encode()).digest()
    return Migration(version=version, name=f"{version:04d}_step", checksum=checksum, statements=(statement,))


def told(settings: MySqlSettings, change: str, statements: tuple[str, ...] = STATEMENTS) -> list[str]:
    """Return what is said of a change of the table."""
    steps = [step(1, TABLE), step(2, change)]
    before = behaviour(settings, statements, steps[:1])
    assert all(outcome.refusal is None for outcomes in before.outcomes.values() for outcome in outcomes[:1])
    return differences(before, behaviour(settings, statements, steps))


@pytest.mark.parametrize("change", FINE.values(), ids=FINE)
def test_what_only_adds_changes_nothing(settings: MySqlSettings, change: str) -> None:
    assert told(settings, change) == []


@pytest.mark.parametrize(("change", "expected"), BAD.values(), ids=BAD)
def test_what_breaks_running_code_is_told(settings: MySqlSettings, change: str, expected: str) -> None:
    assert expected in "\n".join(told(settings, f"ALTER TABLE people {change}"))


def test_a_table_that_goes_is_told(settings: MySqlSettings) -> None:
    assert len(told(settings, "DROP TABLE people")) >= len(STATEMENTS)


@pytest.mark.parametrize(
    "change",
    [
        "MODIFY nick VARCHAR(31) NULL",
        "MODIFY nick VARCHAR(32) CHARACTER SET ascii NULL",
        "MODIFY nick VARCHAR(32) NOT NULL",
        "MODIFY person_id BIGINT NOT NULL",
        "MODIFY born_ms INT NOT NULL",
    ],
)
def test_a_column_that_takes_less_is_told_of_without_an_example(settings: MySqlSettings, change: str) -> None:
    assert "takes less" in "\n".join(told(settings, f"ALTER TABLE people {change}", ("SELECT 1",)))


@pytest.mark.parametrize("statement", CARELESS)
def test_code_that_counts_columns_is_told_of(settings: MySqlSettings, statement: str) -> None:
    assert told(settings, "ALTER TABLE people ADD COLUMN age INT NULL", (*STATEMENTS, statement)) != []


def test_nothing_of_what_is_said_stays(settings: MySqlSettings) -> None:
    behaviour(settings, STATEMENTS, [step(1, TABLE)])
    count = behaviour(settings, ("SELECT COUNT(*) FROM people",), [step(1, TABLE)])
    assert [outcome.found for outcomes in count.outcomes.values() for outcome in outcomes] == [("(0,)",)]
