"""Recordings of statements are the same in every run, tell nothing of it, and miss nothing that a schema may refuse."""

import pytest

from tests.fixtures.statement_recorder import Recorder, merge, read_statements
from tests.fixtures.statement_shapes import branches, example, fold


def heard(*said: tuple[str, tuple[object, ...]]) -> list[str]:
    recorder = Recorder()
    for sql, params in said:
        recorder.hear("gochat_repo/users.py", sql, params)
    return [statement for _, statement in recorder.statements()]


def test_any_number_of_rows_is_one_statement() -> None:
    head = "INSERT INTO a (x, y) VALUES "
    one, many = fold(head + "%s", ((1, "b"),)), fold(head + "%s,%s,%s", ((1, "b"), (2, "c"), (3, "d")))
    assert one[0] == many[0]
    assert set(many[1]) == {0}


def test_scalars_side_by_side_stay_apart() -> None:
    assert fold("SELECT 1 FROM a WHERE x IN (%s,%s) AND y = %s", (1, 2, 3))[1] == (0, 1, 2)


def test_repeated_parts_stand_once_and_what_is_behind_them_keeps_its_values() -> None:
    sql = "UPDATE (SELECT %s AS x, %s AS y UNION ALL SELECT %s, %s UNION ALL SELECT %s, %s) v JOIN a SET a.z = %s"
    text, places = fold(sql, (1, "a", 2, "b", 3, "c", None))
    assert text.count("UNION ALL") == 1
    assert places == (0, 1, 2, 3, 2, 3, 4)


def test_alternatives_stand_once() -> None:
    text, places = fold("SELECT 1 FROM a WHERE (x = %s AND y = %s) OR (x = %s AND y = %s) LIMIT %s", (1, 2, 3, 4, 5))
    assert text.count("x = ") == 1
    assert places == (0, 1, 0, 1, 2)


def test_selects_that_are_put_together_are_recorded_apart() -> None:
    sql = "(SELECT x FROM a WHERE y = ')' LIMIT %s)\nUNION ALL\n(SELECT x FROM b LIMIT %s) ORDER BY x LIMIT %s"
    assert branches(sql) == ["(SELECT x FROM a WHERE y = ')' LIMIT %s)", "(SELECT x FROM b LIMIT %s)"]
    assert branches("SELECT * FROM (SELECT 1 UNION ALL SELECT 2) a") == [
        "SELECT * FROM (SELECT 1 UNION ALL SELECT 2) a"
    ]
    assert heard((sql, (1, 2, 3))) == ["(SELECT x FROM a WHERE y = ')' LIMIT 1)", "(SELECT x FROM b LIMIT 100)"]


@pytest.mark.parametrize(
    ("value", "literal"),
    [
        (None, "NULL"),
        (True, "TRUE"),
        (0, "0"),
        (7, "100"),
        (-7, "-100"),
        (1_700_000_000_000, "2000000000000000000"),
        (b"\x00\xff", "X'4141'"),
        (b"x" * 100, "CAST(REPEAT('A', 100) AS BINARY)"),
        ("admin", "'admin'"),
        ("Bob's password", "'AAAAAAAAAAAAAA'"),
        ("grüße dich", "'😀AAAAAAAAA'"),
        ('{"text": "secret"}', '\'{"a": "AAAAAAAAA"}\''),
        ("x" * 100, "CONCAT('', REPEAT('A', 100))"),
    ],
)
def test_an_example_is_as_wide_as_its_value_and_keeps_words_alone(value: object, literal: str) -> None:
    assert example(value) == literal


def test_what_can_t_be_bound_has_no_example() -> None:
    with pytest.raises(TypeError):
        example(1.5)


def test_the_widest_every_word_and_null_are_tried() -> None:
    sql = "UPDATE a SET role = %s, note = %s, age = %s"
    said = [("owner", "Ab", 5), ("admin", "Abcd", 70_000), ("owner", None, 1)]
    assert heard(*((sql, values) for values in said)) == [
        "UPDATE a SET role = 'admin', note = 'AAAA', age = 2000000000",
        "UPDATE a SET role = 'owner', note = NULL, age = 2000000000",
    ]


def test_words_among_other_texts_are_what_people_write() -> None:
    sql = "UPDATE a SET name = %s"
    assert heard((sql, ("alice",)), (sql, ("Bob",))) == ["UPDATE a SET name = 'AAAAA'"]


def test_lists_are_recorded_with_one_element_of_each_kind() -> None:
    assert heard(("SELECT 1 FROM a WHERE x IN %s", ((1, 2, 3),)), ("SELECT 1 FROM a WHERE x IN %s", ((4,),))) == [
        "SELECT 1 FROM a WHERE x IN (100)"
    ]


def test_the_order_in_which_tests_speak_leaves_no_trace() -> None:
    said = [("SELECT 1 FROM a WHERE x = %s", (number,)) for number in (1, 5_000, None, 3)]
    assert heard(*said) == heard(*reversed(said))


def test_what_is_written_is_read_again_and_only_new_statements_are_added() -> None:
    text = "-- The schema\n\n-- gochat_repo/a.py\nSELECT ';', 1;\n\n-- gochat_repo/b.py\nSELECT 2 FROM b;\n"
    recorded = read_statements(text)
    assert recorded == [("gochat_repo/a.py", "SELECT ';', 1"), ("gochat_repo/b.py", "SELECT 2 FROM b")]
    new = ("gochat_repo/a.py", "SELECT 3 FROM c")
    assert merge(recorded, [("gochat_repo/b.py", "SELECT 100 FROM b"), new]) == [recorded[0], new, recorded[1]]
