"""The lint that keeps the SQL to what Aurora MySQL and MariaDB both take."""

import pytest

from dev_cli.checks import sql

TABLE = "CREATE TABLE users (id BIGINT PRIMARY KEY) COLLATE utf8mb4_bin"


def faults(statement: str) -> list[str]:
    return [fault for _, fault in sql.faults_of_statements(statement)]


@pytest.mark.parametrize(
    "statement",
    [
        "INSERT INTO t (a) VALUES (1) RETURNING a",
        "SELECT body->'$.text' FROM messages",
        "SELECT body->>'$.text' FROM messages",
        "INSERT INTO t (a) VALUES (1), (2) AS fresh ON DUPLICATE KEY UPDATE a = fresh.a",
        "CREATE TABLE t (a INT, INDEX by_lower ((LOWER(a))))",
        "SELECT UUID_TO_BIN('x')",
        "SELECT a FROM t FOR SHARE",
        "SELECT a FROM t FOR UPDATE OF t",
        "CREATE TABLE t (a INT) COLLATE utf8mb4_0900_ai_ci",
        "ALTER TABLE t ADD COLUMN IF NOT EXISTS b INT",
        "SELECT a FROM t INTERSECT SELECT a FROM u",
        "WITH old AS (SELECT 1) DELETE FROM t",
        "CREATE TABLE t (id UUID NOT NULL)",
    ],
)
def test_what_one_of_the_servers_refuses_is_a_fault(statement: str) -> None:
    assert faults(statement)


@pytest.mark.parametrize("word", ["groups", "rank", "system", "function", "lead", "lag", "window", "of", "empty"])
def test_a_bare_word_that_mysql_reserves_is_a_fault_and_a_quoted_one_is_not(word: str) -> None:
    assert faults(f"SELECT {word} FROM t")
    assert not faults(f"SELECT `{word}` FROM t")


@pytest.mark.parametrize(
    "statement",
    [
        "SELECT id FROM users WHERE id = %s LOCK IN SHARE MODE",
        "INSERT INTO t (a) VALUES (1) ON DUPLICATE KEY UPDATE a = VALUES(a)",
        "SELECT 'RETURNING groups ->' AS a -- FOR SHARE\n/* window */ FROM t",
        "CREATE TABLE t (a INT, b INT AS (a + 1) VIRTUAL, c INT GENERATED ALWAYS AS (a) STORED)",
        "DELETE FROM outbox WHERE (conversation_id, seq) IN ((%s, %s)) LIMIT 100",
    ],
)
def test_what_both_servers_take_passes(statement: str) -> None:
    assert faults(statement) == []


def test_a_fault_is_told_with_its_line() -> None:
    assert sql.faults_of_statements("SELECT a\nFROM t\nFOR SHARE")[0][0] == 3


def test_a_table_must_spell_out_its_collation_and_its_primary_key() -> None:
    assert sql.faults_of_migration(TABLE) == []
    assert len(sql.faults_of_migration("CREATE TABLE users (id BIGINT)")) == 2


def test_statements_are_found_in_plain_and_formatted_strings() -> None:
    source = "A = 'SELECT 1'\nB = f'INSERT INTO {t} (a) VALUES (1) RETURNING a'\nC = 'select your seat'\n"
    found = dict(sql.statements_in_python(source))
    assert found[1] == "SELECT 1"
    assert faults(found[2])
