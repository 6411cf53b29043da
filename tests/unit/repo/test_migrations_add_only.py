"""Migrations run before the code that needs them: what they do to the schema, the code still running must bear."""

import re

import pytest

from gochat_repo.migrate import Migration, load_migrations

_COLUMN = re.compile(
    r"ADD (?:COLUMN )?(?!(?:UNIQUE |FULLTEXT )?(?:KEY|INDEX|CONSTRAINT|PRIMARY)\b)(\w+) ([^,]*)", re.IGNORECASE
)
_BREAKS = re.compile(r"\b(DROP (TABLE|COLUMN|DATABASE)|RENAME|CHANGE( COLUMN)?|TRUNCATE)\b", re.IGNORECASE)

LATER = [migration for migration in load_migrations() if migration.version > 1]


@pytest.mark.parametrize("migration", LATER, ids=lambda migration: migration.name)
def test_nothing_goes_that_running_code_may_read(migration: Migration) -> None:
    assert [text for text in migration.statements if _BREAKS.search(text)] == []


@pytest.mark.parametrize("migration", LATER, ids=lambda migration: migration.name)
def test_running_code_need_not_know_of_a_new_column_to_insert(migration: Migration) -> None:
    for text in migration.statements:
        if not text.upper().startswith("ALTER TABLE"):
            continue
        for name, definition in _COLUMN.findall(text):
            told = definition.upper()
            assert "NOT NULL" not in told or "DEFAULT" in told or " AS " in told, (name, definition)
