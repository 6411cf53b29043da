"""Gives every test the real services, and unit tests none: a unit test that opens a socket fails."""

from pathlib import Path

import pytest

pytest_plugins = [
    "tests.fixtures.without_redis",
    "tests.fixtures.outages",
    "tests.fixtures.fault_broker",
    "tests.fixtures.services",
    "tests.fixtures.statement_recorder",
    "tests.fixtures.grown_schema",
    "tests.fixtures.stage",
    "tests.fixtures.inventories",
    "tests.fixtures.walks",
]

_UNIT = Path(__file__).parent / "unit"


@pytest.hookimpl(tryfirst=True)  # before pytest-socket reads the option
def pytest_configure(config: pytest.Config) -> None:
    """Leave Unix sockets alone where sockets are off: asyncio wakes its loop through a pair of them."""
    config.option.allow_unix_socket = True


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Switch sockets off for tests/unit."""
    for item in items:
        if item.path.is_relative_to(_UNIT):
            item.add_marker(pytest.mark.disable_socket)
