"""People on the deployed local stage."""

from collections.abc import Callable

import pytest
from tests.fixtures.stage import Stage

from tests.flows.stock_client import Person


@pytest.fixture
def somebody(stage: Stage) -> Callable[[str], Person]:
    """Make people who are registered and logged in, with a username nobody else has."""
    return lambda name: Person(stage.http_url, stage.websocket_url, name).register()


@pytest.fixture
def alice(somebody: Callable[[str], Person]) -> Person:
    return somebody("alice")


@pytest.fixture
def bob(somebody: Callable[[str], Person]) -> Person:
    return somebody("bob")


@pytest.fixture
def carol(somebody: Callable[[str], Person]) -> Person:
    return somebody("carol")
