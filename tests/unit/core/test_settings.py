import msgspec
import pytest

from gochat_core.settings import read_settings


class Shape(msgspec.Struct, frozen=True, kw_only=True):
    host: str
    port: int = 3306
    partial_batch: bool = False


def test_text_becomes_the_fields_type() -> None:
    given = {"GOCHAT_HOST": "db", "GOCHAT_PORT": "3307", "GOCHAT_PARTIAL_BATCH": "true", "PATH": "/bin"}
    assert read_settings(Shape, given) == Shape(host="db", port=3307, partial_batch=True)


def test_an_empty_variable_counts_as_absent() -> None:
    assert read_settings(Shape, {"GOCHAT_HOST": "db", "GOCHAT_PORT": ""}).port == 3306


@pytest.mark.parametrize("given", [{}, {"GOCHAT_HOST": ""}, {"GOCHAT_HOST": "db", "GOCHAT_PORT": "many"}])
def test_a_container_with_half_its_settings_does_not_start(given: dict[str, str]) -> None:
    with pytest.raises(ValueError, match="environment of Shape"):
        read_settings(Shape, given)
