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
from gochat_repo.mysql_errors import StatementFailed, translate
from gochat_repo.mysql_pool import MySqlSettings, Password, open_connection, password_from, tls_context

MIGRATIONS = Path(__file__).parent / "migrations"

LOCK_WAIT_S = 60
"""How long a runner waits for another one; a deployment runs two when it is retried."""

TABLE_WAIT_S = 5
"""How long an ALTER waits for a table that a transaction still reads: all others queue up behind it meanwhile (MySQL
manual, "Metadata Locking"), so it gives up and is tried again."""

IDLE_S = 60
"""How long the server keeps the session of a runner that died, and with it the lock; a statement may take longer."""

ALREADY_DONE = frozenset({1050, 1060, 1061, 1091})
"""ER_TABLE_EXISTS_ERROR, ER_DUP_FIELDNAME, ER_DUP_KEYNAME, ER_CANT_DROP_FIELD_OR_KEY."""

DDL_TIMEOUT_S = 600.0
"""How long to wait for a statement. One that takes longer goes on in the server and keeps the lock until it has ended;
whoever runs the migrations after that finds it done."""

_COMMITS_BY_ITSELF = re.compile(r"(CREATE|ALTER|DROP|RENAME|TRUNCATE)\b", re.IGNORECASE)
"""What no transaction takes back (MySQL manual, "Statements That Cause an Implicit Commit")."""

_NAME = re.compile(r"(\d{4})_[a-z0-9_]+\.sql")
_DATABASE = re.compile(r"[A-Za-z0-9_]{1,64}")

_Ledger = dict[int, tuple[str, bytes, int, int]]
"""By version: name, checksum, how many statements are done, whether these are all."""

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

    def begun(self, count: int) -> bytes:
        """Return a checksum of the first statements: the ledger's, of those that ever ran, until all are done."""
        return hashlib.sha256(";".join(self.statements[:count]).encode()).digest()


@dataclass(frozen=True, kw_only=True)
class _Rest:
    """What is left to do of a migration; whether the first statement of it may have run without a record of it."""

    migration: Migration
    done: int = 0
    is_in_doubt: bool = False


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

    Creates the database if there is none. Safe to run again and to run twice at once: an advisory lock, which goes with
    the session that holds it, lets one runner through. Where nothing is missing nothing is locked: a release that is
    taken back need not wait for the migration that it fled from. DDL commits by itself, so a run that broke off inside
    a file goes on behind the last statement that was recorded; all else is stored together with its record. What a
    failed file has not begun may be corrected. Raises `MigrationRefused` when what was applied has changed here,
    `Unavailable` when MySQL is away (Aurora resuming) or busy, `StatementFailed` for bad SQL.
    """
    name = settings.mysql_database
    if not _DATABASE.fullmatch(name):
        raise MigrationRefused(f"{name!r} can't be the name of a database")
    files = load_migrations() if migrations is None else migrations
    connection = open_connection(
        settings, database=None, password=password, tls=tls_context(settings), read_timeout_s=DDL_TIMEOUT_S
    )
    try:
        with connection.cursor() as cursor:
            cursor.execute("SET autocommit = 1, lock_wait_timeout = %s, wait_timeout = %s", (TABLE_WAIT_S, IDLE_S))
            if not _rests(_ledger(cursor, name), files):
                return []
            _lock(cursor, name)
            cursor.execute(f"CREATE DATABASE IF NOT EXISTS `{name}` CHARACTER SET utf8mb4 COLLATE utf8mb4_bin")
            connection.select_db(name)
            cursor.execute(_LEDGER)
            rests = _rests(_ledger(cursor, name), files)
            for rest in rests:
                _apply(cursor, rest)
            return [rest.migration.name for rest in rests]
    except pymysql.err.Error as fault:
        raise translate(fault) from fault
    finally:
        connection.drop()


def _lock(cursor: pymysql.cursors.Cursor, name: str) -> None:
    cursor.execute("SELECT GET_LOCK(%s, %s)", (f"gochat.migrate.{name}"[:64], LOCK_WAIT_S))
    held = cursor.fetchone()
    if not held or held[0] != 1:
        raise Unavailable("Another migration is running")


def _ledger(cursor: pymysql.cursors.Cursor, name: str) -> _Ledger:
    cursor.execute(
        "SELECT 1 FROM information_schema.tables WHERE table_schema = %s AND table_name = 'schema_migrations'", (name,)
    )
    if not cursor.fetchone():
        return {}
    cursor.execute(
        f"SELECT version, name, checksum, applied_statements, is_complete FROM `{name}`.schema_migrations"  # noqa: S608
    )
    return {row[0]: row[1:] for row in cursor.fetchall()}


def _rests(ledger: _Ledger, migrations: Sequence[Migration]) -> list[_Rest]:
    """Return what is missing; versions beyond ours are a newer release's: older code runs on its schema."""
    found: list[_Rest] = []
    for migration in migrations:
        if migration.version not in ledger:
            found.append(_Rest(migration=migration))
            continue
        name, checksum, done, is_complete = ledger[migration.version]
        if is_complete and checksum == migration.checksum:
            continue
        # The whole file's checksum: its run was broken off by a release that recorded no other.
        is_in_doubt = checksum in (migration.checksum, migration.begun(done + 1))
        if is_complete or not (is_in_doubt or checksum == migration.begun(done)):
            raise MigrationRefused(f"{migration.name} was changed after it was applied (as {name})")
        found.append(_Rest(migration=migration, done=done, is_in_doubt=is_in_doubt))
    return found


def _apply(cursor: pymysql.cursors.Cursor, rest: _Rest) -> None:
    migration = rest.migration
    _record(cursor, migration, rest.done)
    for number, statement in enumerate(migration.statements[rest.done :], start=rest.done + 1):
        is_transaction = not _COMMITS_BY_ITSELF.match(statement)
        if is_transaction:
            cursor.execute("BEGIN")
        try:
            cursor.execute(statement)
        except pymysql.err.Error as fault:
            if not (rest.is_in_doubt and number == rest.done + 1 and fault.args[0] in ALREADY_DONE):
                raise _refused(cursor, migration, number, fault) from fault
        _record(cursor, migration, number)
        if is_transaction:
            cursor.execute("COMMIT")


def _refused(cursor: pymysql.cursors.Cursor, migration: Migration, number: int, fault: pymysql.err.Error) -> Exception:
    """Return what to raise for a statement that failed; what the server has refused is surely not done."""
    meaning = translate(fault)
    if not isinstance(meaning, StatementFailed):
        return meaning
    cursor.execute("ROLLBACK")
    _record(cursor, migration, number - 1, begun=number - 1)
    return StatementFailed(meaning.errno, f"{migration.name}, statement {number}: {meaning.args[1]}")


def _record(cursor: pymysql.cursors.Cursor, migration: Migration, done: int, *, begun: int | None = None) -> None:
    """Note that so many statements are done and, unless told otherwise, that the next one may be from now on."""
    is_complete = done == len(migration.statements)
    checksum = migration.checksum if is_complete else migration.begun(done + 1 if begun is None else begun)
    now_ms = time.time_ns() // 1_000_000
    cursor.execute(
        "INSERT INTO schema_migrations (version, name, checksum, applied_statements, is_complete, applied_at_ms)"
        " VALUES (%s, %s, %s, %s, %s, %s) ON DUPLICATE KEY UPDATE name = VALUES(name), checksum = VALUES(checksum),"
        " applied_statements = VALUES(applied_statements), is_complete = VALUES(is_complete),"
        " applied_at_ms = VALUES(applied_at_ms)",
        (migration.version, migration.name, checksum, done, is_complete, now_ms),
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
