"""The SQL that the docs show runs on the tables that there are."""

import re

import pymysql
import pytest

from gochat_repo.mysql_pool import MySqlSettings
from local_stage.services.mysql import MySqlServer
from tests.unit.docs.pages import written_pages


def documented() -> list[str]:
    """List the statements of SQL blocks, of `--sql '…'`, and of running text."""
    found = []
    for page in written_pages():
        found += [block.body.strip().rstrip(";") for block in page.blocks("sql")]
        found += re.findall(r"--sql '([^']+)'", page.text)
        found += [span for span in page.spans() if re.match(r"(SELECT|UPDATE|INSERT|DELETE) .* (FROM|INTO|SET) ", span)]
    return sorted(set(found))


@pytest.mark.parametrize("statement", documented(), ids=lambda statement: statement[:40])
def test_the_database_takes_the_statement(statement: str, migrated: MySqlSettings, mysql_server: MySqlServer) -> None:
    with (
        pymysql.connect(
            host=mysql_server.host,
            port=mysql_server.port,
            user=mysql_server.user,
            database=migrated.mysql_database,
        ) as connection,
        connection.cursor() as cursor,
    ):
        cursor.execute(f"EXPLAIN {statement}".replace("…", "0" * 32))
        assert cursor.fetchall()


def test_there_are_some() -> None:
    assert len(documented()) >= 3
