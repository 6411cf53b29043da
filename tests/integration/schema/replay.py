"""Says again, on another schema, what the code of a schema said to MySQL, and tells what comes out differently."""

import re
from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path

import pymysql
from pymysql.cursors import Cursor

from gochat_repo.migrate import Migration, migrate, split_statements
from gochat_repo.mysql_connection import connect
from gochat_repo.mysql_pool import MySqlSettings
from tests.fixtures.statement_recorder import RECORDED

_MIGRATION = re.compile(r"-- (\d{4}_[a-z0-9_]+) ([0-9a-f]{64})")

_UNIQUE = """
SELECT table_name, index_name, GROUP_CONCAT(column_name ORDER BY seq_in_index)
  FROM information_schema.statistics WHERE table_schema = DATABASE() AND non_unique = 0
 GROUP BY table_name, index_name
"""

_COLUMNS = """
SELECT table_name, column_name, data_type, COALESCE(character_maximum_length, numeric_precision, 0),
       is_nullable, CONCAT_WS(' ', character_set_name, IF(column_type LIKE '%unsigned%', 'unsigned', NULL))
  FROM information_schema.columns WHERE table_schema = DATABASE()
"""
_KINDS = {"int": "number", "text": "text", "char": "text", "blob": "bytes", "binary": "bytes"}
"""What the names of types end in, and which of them differ in width alone."""


@dataclass(frozen=True, kw_only=True)
class Column:
    """What a column takes."""

    kind: str
    width: int
    is_nullable: bool
    attributes: str

    def takes_all_of(self, old: "Column") -> bool:
        """Tell whether it takes every value that the other one does."""
        same = (self.kind, self.attributes) == (old.kind, old.attributes)
        return same and self.width >= old.width and self.is_nullable >= old.is_nullable


@dataclass(frozen=True, kw_only=True)
class Recording:
    """What the code of one schema says: its file."""

    version: int
    migrations: dict[str, str]
    statements: tuple[str, ...]


@dataclass(frozen=True, kw_only=True)
class Outcome:
    """What came of one statement: MySQL's refusal, or how many rows it touched and what it found in them."""

    refusal: str | None = None
    warnings: int = 0
    rows: int = 0
    columns: tuple[str, ...] = ()
    found: tuple[str, ...] = ()


@dataclass(frozen=True, kw_only=True)
class Behaviour:
    """How a schema takes a recording: what comes of each statement, what must be unique, what columns take."""

    outcomes: dict[str, list[Outcome]]
    unique: dict[str, list[frozenset[str]]]
    columns: dict[tuple[str, str], Column]


def recordings() -> list[Recording]:
    """Read what was recorded, oldest schema first."""
    return [_read(path) for path in sorted(RECORDED.glob("*.sql"))]


def _read(path: Path) -> Recording:
    text = path.read_text(encoding="utf-8")
    return Recording(
        version=int(path.stem),
        migrations=dict(_MIGRATION.findall(text)),
        statements=tuple(split_statements(text)),
    )


def behaviour(settings: MySqlSettings, statements: Sequence[str], migrations: Sequence[Migration]) -> Behaviour:
    """Migrate a database further and say the statements there; nothing of them stays.

    Rows first: examples of one kind look alike, so what is inserted is found by what reads, changes and deletes, and
    MySQL has to do with values and not only with names.
    """
    migrate(settings, migrations=migrations)
    inserts = [statement for statement in statements if statement.startswith("INSERT")]
    with _cursor(settings) as cursor:
        outcomes = {statement: [_say(cursor, statement)] for statement in inserts}
        for statement in statements:
            cursor.execute("SAVEPOINT unsaid")
            outcomes.setdefault(statement, []).append(_say(cursor, statement))
            cursor.execute("ROLLBACK TO SAVEPOINT unsaid")
        cursor.execute("ROLLBACK")
        cursor.execute(_UNIQUE)
        unique: dict[str, list[frozenset[str]]] = {}
        for table, _, key in cursor.fetchall():
            unique.setdefault(table, []).append(frozenset(key.split(",")))
        cursor.execute(_COLUMNS)
        columns = {
            (table, name): Column(
                kind=next((kind for ending, kind in _KINDS.items() if type_.endswith(ending)), type_),
                width=int(width),
                is_nullable=nullable == "YES",
                attributes=attributes,
            )
            for table, name, type_, width, nullable, attributes in cursor.fetchall()
        }
    return Behaviour(outcomes=outcomes, unique=unique, columns=columns)


@contextmanager
def _cursor(settings: MySqlSettings) -> Iterator[Cursor]:
    """Open a session as the functions have it: strict, READ COMMITTED, without autocommit."""
    connection = connect(
        host=settings.mysql_host,
        port=settings.mysql_port,
        user=settings.mysql_user,
        password="",
        database=settings.mysql_database,
        tls=None,
        connect_timeout_s=10,
        read_timeout_s=30,
        lock_wait_s=5,
    )
    with closing(connection), connection.cursor() as cursor:
        yield cursor


def _say(cursor: Cursor, statement: str) -> Outcome:
    try:
        cursor.execute(statement)
    except pymysql.err.Error as fault:
        return Outcome(refusal=f"{fault.args[0]} {fault.args[1]}")
    return Outcome(
        warnings=cursor.warning_count,
        rows=cursor.rowcount,
        columns=tuple(column[0] for column in cursor.description or ()),
        found=tuple(sorted(map(repr, cursor.fetchall()))),  # a number that has become a text looks another way
    )


def differences(before: Behaviour, after: Behaviour) -> list[str]:
    """Tell what the code that knows the one schema would meet on the other.

    That a row is there twice is no difference, as long as it was so before. Examples can't show that no two real rows
    have the same, nor how wide real values are; so keys and columns are looked at as well.
    """
    found = [
        f"{table}: ({', '.join(sorted(key))}) must be unique now"
        for table, keys in after.unique.items()
        for key in keys
        if table in before.unique and not any(old <= key for old in before.unique[table])
    ]
    for (table, name), old in before.columns.items():
        new = after.columns.get((table, name))
        if new is not None and not new.takes_all_of(old):
            found.append(f"{table}.{name} takes less: {new} instead of {old}")
    for statement, were in before.outcomes.items():
        for was, now in zip(were, after.outcomes[statement], strict=True):
            if now != was:
                found.append(f"{now.refusal or f'{now} instead of {was}'}: {statement}")
    return found
