"""What the text of a migration alone shows; what the code still running says of it: tests/integration/schema."""

import re

import pytest

from gochat_repo.migrate import Migration, load_migrations

_COLUMN = re.compile(
    r"ADD (?:COLUMN )?(?!(?:UNIQUE |FULLTEXT )?(?:KEY|INDEX|CONSTRAINT|PRIMARY)\b)(\w+) ([^,]*)", re.IGNORECASE
)
_KEY = re.compile(r"\bADD (?:KEY|INDEX)\b", re.IGNORECASE)
_BREAKS = re.compile(
    r"\b(DROP DATABASE|RENAME|CHANGE( COLUMN)?|TRUNCATE|ADD UNIQUE|CREATE (UNIQUE )?INDEX)\b", re.IGNORECASE
)

LATER = [migration for migration in load_migrations() if migration.version > 1]

LAST_WITHOUT_ALGORITHM = 8
"""Those after it say how MySQL may do it."""


def faults(statement: str) -> list[str]:
    """Tell what no migration may do, whoever runs on the schema."""
    found = [f"{match[0]}: add, and leave what is there" for match in _BREAKS.finditer(statement)]
    if statement.upper().startswith("ALTER TABLE"):
        for name, definition in _COLUMN.findall(statement):
            told = definition.upper()
            if "NOT NULL" in told and "DEFAULT" not in told and " AS " not in told:
                found.append(f"{name}: code that does not know of it can't insert")
    return found


def locks(statement: str) -> list[str]:
    """Tell where MySQL would be free to rebuild or lock a table in use (its manual, "Online DDL Operations")."""
    if not statement.upper().startswith("ALTER TABLE"):
        return []
    told = re.sub(r"\s+", " ", statement.upper())
    adds_column, adds_key = bool(_COLUMN.search(statement)), bool(_KEY.search(statement))
    if adds_column and adds_key:
        return ["columns and keys go apart: together the table is rebuilt"]
    if adds_column and not told.endswith("ALGORITHM=INSTANT"):
        return ["a column ends in ALGORITHM=INSTANT"]
    if adds_key and not told.endswith("ALGORITHM=INPLACE, LOCK=NONE"):
        return ["a key ends in ALGORITHM=INPLACE, LOCK=NONE"]
    return []


@pytest.mark.parametrize("migration", LATER, ids=lambda migration: migration.name)
def test_migrations_add_what_running_code_need_not_know(migration: Migration) -> None:
    assert [fault for statement in migration.statements for fault in faults(statement)] == []


def test_migrations_say_that_tables_stay_in_use() -> None:
    told = [
        f"{migration.name}: {fault}"
        for migration in LATER
        if migration.version > LAST_WITHOUT_ALGORITHM
        for statement in migration.statements
        for fault in locks(statement)
    ]
    assert told == []


@pytest.mark.parametrize(
    "statement",
    [
        "ALTER TABLE a RENAME COLUMN b TO c",
        "ALTER TABLE a CHANGE b c INT NULL",
        "TRUNCATE TABLE a",
        "ALTER TABLE a ADD UNIQUE KEY (b)",
        "CREATE UNIQUE INDEX b ON a (b)",
        "ALTER TABLE a ADD COLUMN b INT NOT NULL",
        "ALTER TABLE a ADD b INT NOT NULL, ADD COLUMN c INT NULL",
    ],
)
def test_what_breaks_is_told(statement: str) -> None:
    assert faults(statement) != []


@pytest.mark.parametrize(
    "statement",
    [
        "ALTER TABLE a ADD COLUMN b INT NULL",
        "ALTER TABLE a ADD KEY b (b)",
        "ALTER TABLE a ADD KEY b (b), ALGORITHM=INPLACE",
        "ALTER TABLE a ADD COLUMN b INT NULL, ADD KEY b (b), ALGORITHM=INPLACE, LOCK=NONE",
    ],
)
def test_what_may_lock_is_told(statement: str) -> None:
    assert locks(statement) != []


@pytest.mark.parametrize(
    "statement",
    [
        "ALTER TABLE a ADD COLUMN b INT NULL, ADD COLUMN c INT NOT NULL DEFAULT 0, ALGORITHM=INSTANT",
        "ALTER TABLE a ADD KEY b (b),\n  ALGORITHM=INPLACE, LOCK=NONE",
        "CREATE TABLE a (b INT NOT NULL, UNIQUE KEY (b))",
        "UPDATE a SET b = 1 WHERE b IS NULL",
    ],
)
def test_what_adds_is_fine(statement: str) -> None:
    assert faults(statement) == locks(statement) == []
