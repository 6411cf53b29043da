import pytest

from gochat_repo.mysql_literals import bind, literal


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (0, "0"),
        (-7, "-7"),
        (2**63, "9223372036854775808"),
        (None, "NULL"),
        (True, "TRUE"),
        (b"\x00\xff'", "X'00ff27'"),
        (b"", "X''"),
        ("it's", "'it\\'s'"),
        ("\\' OR 1=1 -- ", "'\\\\\\' OR 1=1 -- '"),
        ("%s 🙂", "'%s 🙂'"),
        ((1, "a", (None, b"\x01")), "(1,'a',(NULL,X'01'))"),
    ],
)
def test_values_become_literals(value: object, text: str) -> None:
    assert literal(value) == text


def test_a_value_is_never_formatted_into_another() -> None:
    assert bind("SELECT %s, %s", ("%s", "x")) == "SELECT '%s', 'x'"


def test_a_statement_without_values_keeps_its_percent_signs() -> None:
    assert bind("SELECT '%'", ()) == "SELECT '%'"


@pytest.mark.parametrize("value", [[1], {1}, object(), bytearray(b"x"), float("nan")])
def test_other_types_are_refused(value: object) -> None:
    with pytest.raises(TypeError):
        literal(value)
