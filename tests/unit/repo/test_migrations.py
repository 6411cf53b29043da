from pathlib import Path

import pytest

from gochat_repo.migrate import MigrationRefused, load_migrations, split_statements


def test_statements_end_at_semicolons_outside_of_strings_names_and_comments() -> None:
    text = """
    -- one; two
    CREATE TABLE a (x INT); /* three; four */
    INSERT INTO a VALUES (';', 'it''s; \\'', "b;", `c;`); # five;
    SELECT 5-3
    """
    assert split_statements(text) == [
        "CREATE TABLE a (x INT)",
        "INSERT INTO a VALUES (';', 'it''s; \\'', \"b;\", `c;`)",
        "SELECT 5-3",
    ]


def test_stored_programs_are_refused() -> None:
    with pytest.raises(MigrationRefused):
        split_statements("DELIMITER //\nCREATE TRIGGER t BEFORE INSERT ON a FOR EACH ROW SET NEW.x = 1//")


@pytest.mark.parametrize("name", ["0000_zero.sql", "1_short.sql", "0001_With Space.sql"])
def test_a_misnamed_file_is_refused(tmp_path: Path, name: str) -> None:
    (tmp_path / name).write_text("SELECT 1;")
    with pytest.raises(MigrationRefused, match=name):
        load_migrations(tmp_path)


def test_a_number_that_stands_twice_is_refused(tmp_path: Path) -> None:
    for name in ("0003_one.sql", "0003_two.sql"):
        (tmp_path / name).write_text("SELECT 1;")
    with pytest.raises(MigrationRefused, match=r"0003_two\.sql: 0003_one"):
        load_migrations(tmp_path)


def test_our_own_files_are_in_order_and_hold_statements() -> None:
    migrations = load_migrations()
    versions = [migration.version for migration in migrations]
    assert versions == sorted(set(versions))
    assert all(migration.statements for migration in migrations)
