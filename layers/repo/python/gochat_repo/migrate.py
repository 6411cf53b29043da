"""Applies the migrations: forward-only SQL files, each once, in order, one runner at a time."""

import hashlib
import os
import re
import sys
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import pymysql

from gochat_core.errors import Unavailable
from gochat_core.settings import read_settings
from gochat_repo.mysql_connection import Connection
from gochat_repo.mysql_errors import StatementFailed, translate
from gochat_repo.mysql_pool import MySqlSettings, Password, open_connection, password_from, tls_context

MIGRATIONS = Path(__file__).parent / "migrations"

LOCK_WAIT_S = 60
"""How long a runner waits for another one; a deployment runs two when it is retried."""

ALREADY_DONE = frozenset({1050, 1060, 1061, 1091})
"""ER_TABLE_EXISTS_ERROR, ER_DUP_FIELDNAME, ER_DUP_KEYNAME, ER_CANT_DROP_FIELD_OR_KEY."""

DDL_TIMEOUT_S = 600.0

_NAME = re.compile(r"(\d{4})_[a-z0-9_]+\.sql")
_DATABASE = re.compile(r"[A-Za-z0-9_]{1,64}")

_LEDGER = """
CREATE TABLE IF NOT EXISTS schema_migrations (
  version SMALLINT UNSIGNED NOT NULL,
  name VARCHAR(128) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
  checksum BINARY(32) NOT NULL,
  applied_statements INT UNSIGNED NOT NULL,
  is_complete BOOLEAN NOT NULL,
  applied_at_ms BIGINT UNSIGNED NOT NULL,
  PRIMARY KEY (version)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_bin
"""


class MigrationRefused(Exception):
    """The files and the database disagree; running on would make it worse."""


@dataclass(frozen=True, kw_only=True)
class Migration:
    """One file: its number, name, text and what the text amounts to."""

    version: int
    name: str
    checksum: bytes
    statements: tuple[str, ...]


def load_migrations(folder: Path = MIGRATIONS) -> list[Migration]:
    """Read the files in order; raises `MigrationRefused` for a misnamed file or a number used twice.

    Numbers may be left out: branches draw theirs beforehand, and a file that comes late to its number is applied all
    the same, so files of neighbouring numbers must not build on each other's order unless they are of one branch.
    """
    migrations: list[Migration] = []
    for file in sorted(folder.glob("*.sql")):
        named = _NAME.fullmatch(file.name)
        if not named or int(named[1]) == 0:
            raise MigrationRefused(f"{file.name}: expected <number>_<words>.sql with a number of four digits from 0001")
        if migrations and int(named[1]) == migrations[-1].version:
            raise MigrationRefused(f"{file.name}: {migrations[-1].name} has this number already")
        text = file.read_text(encoding="utf-8")
        migrations.append(
            Migration(
                version=int(named[1]),
                name=file.stem,
                checksum=hashlib.sha256(text.encode()).digest(),
                statements=tuple(split_statements(text)),
            )
        )
    return migrations


_TOKEN = re.compile(
    r"""
    (?P<text>'(?:[^'\\]|\\.|'')*'|"(?:[^"\\]|\\.|"")*"|`(?:[^`]|``)*`)
    |(?P<comment>--(?=\s)[^\n]*|\#[^\n]*|/\*.*?\*/)
    |(?P<end>;)
    |(?P<other>[^'"`;#/-]+|.)
    """,
    re.VERBOSE | re.DOTALL,
)


def split_statements(text: str) -> list[str]:
    """Split a file at the semicolons that stand outside of strings, names and comments; comments are dropped.

    Stored programs (DELIMITER) are not part of our subset: raises `MigrationRefused`.
    """
    if re.search(r"^\s*DELIMITER\b", text, re.IGNORECASE | re.MULTILINE):
        raise MigrationRefused("DELIMITER is not supported: migrations hold plain statements only")
    statements: list[str] = []
    parts: list[str] = []
    for token in _TOKEN.finditer(text):
        if token.lastgroup == "end":
            statements.append("".join(parts).strip())
            parts = []
        else:
            parts.append(" " if token.lastgroup == "comment" else token[0])
    statements.append("".join(parts).strip())
    return [statement for statement in statements if statement]


def migrate(
    settings: MySqlSettings, *, password: Password = None, migrations: Sequence[Migration] | None = None
) -> list[str]:
    """Bring the database up to date and return the names of the migrations that were applied now.

    Creates the database if there is none. Safe to run again and to run twice at once: an advisory lock lets one runner
    through. DDL commits by itself, so a run that broke off inside a file goes on behind the last statement that was
    recorded. Raises `MigrationRefused` when an applied file has changed or is unknown here, `Unavailable` when MySQL is
    away (Aurora resuming), `StatementFailed` for bad SQL.
    """
    name = settings.mysql_database
    if not _DATABASE.fullmatch(name):
        raise MigrationRefused(f"{name!r} can't be the name of a database")
    connection = open_connection(
        settings, database=None, password=password, tls=tls_context(settings), read_timeout_s=DDL_TIMEOUT_S
    )
    try:
        with connection.cursor() as cursor:
            cursor.execute("SET autocommit = 1")
            cursor.execute("SELECT GET_LOCK(%s, %s)", (f"gochat.migrate.{name}"[:64], LOCK_WAIT_S))
            held = cursor.fetchone()
            if not held or held[0] != 1:
                raise Unavailable("Another migration is running")
            cursor.execute(f"CREATE DATABASE IF NOT EXISTS `{name}` CHARACTER SET utf8mb4 COLLATE utf8mb4_bin")
            connection.select_db(name)
            cursor.execute(_LEDGER)
            return _apply(connection, load_migrations() if migrations is None else migrations)
    except pymysql.err.Error as fault:
        raise translate(fault) from fault
    finally:
        connection.drop()


def _apply(connection: Connection, migrations: Sequence[Migration]) -> list[str]:
    with connection.cursor() as cursor:
        cursor.execute("SELECT version, name, checksum, applied_statements, is_complete FROM schema_migrations")
        # Versions beyond ours were applied by a newer release: migrations are forward-only, older code runs on them.
        ledger = {row[0]: row[1:] for row in cursor.fetchall()}
    applied = []
    for migration in migrations:
        name, checksum, done, is_complete = ledger.get(migration.version, (migration.name, None, 0, 0))
        if checksum not in (None, migration.checksum):
            raise MigrationRefused(f"{migration.name} was changed after it was applied (as {name})")
        if not is_complete:
            _apply_one(connection, migration, done=done, resumed=checksum is not None)
            applied.append(migration.name)
    return applied


def _apply_one(connection: Connection, migration: Migration, *, done: int, resumed: bool) -> None:
    with connection.cursor() as cursor:
        _record(cursor, migration, done)
        for number, statement in enumerate(migration.statements, start=1):
            if number <= done:
                continue
            try:
                cursor.execute(statement)
            except pymysql.err.Error as fault:
                # The run before may have broken off between this statement and its record.
                if not (resumed and number == done + 1 and fault.args[0] in ALREADY_DONE):
                    raise
            _record(cursor, migration, number)


def _record(cursor: pymysql.cursors.Cursor, migration: Migration, done: int) -> None:
    is_complete = done == len(migration.statements)
    now_ms = time.time_ns() // 1_000_000
    cursor.execute(
        "INSERT INTO schema_migrations (version, name, checksum, applied_statements, is_complete, applied_at_ms)"
        " VALUES (%s, %s, %s, %s, %s, %s) ON DUPLICATE KEY UPDATE applied_statements = VALUES(applied_statements),"
        " is_complete = VALUES(is_complete), applied_at_ms = VALUES(applied_at_ms)",
        (migration.version, migration.name, migration.checksum, done, is_complete, now_ms),
    )


def migrate_from(environ: Mapping[str, str]) -> list[str]:
    """Migrate the database that the environment names."""
    settings = read_settings(MySqlSettings, environ)
    return migrate(settings, password=password_from(settings, environ))


def main() -> int:
    """Run the migrations for `python -m gochat_repo.migrate`; print what was done."""
    try:
        applied = migrate_from(os.environ)
    except (MigrationRefused, StatementFailed, Unavailable, ValueError) as fault:
        sys.stderr.write(f"migration failed: {fault} ({fault.__cause__ or type(fault).__name__})\n")
        return 1
    sys.stdout.write("".join(f"applied {name}\n" for name in applied) or "up to date\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
