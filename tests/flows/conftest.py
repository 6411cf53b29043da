"""People on the deployed local stage."""

from collections.abc import Callable, Iterator
from contextlib import ExitStack

import pytest

from tests.fixtures.stage import Stage
from tests.flows.stock_client import Person


@pytest.fixture
def somebody(stage: Stage) -> Iterator[Callable[[str], Person]]:
    """Make people who are registered and logged in, with a username nobody else has."""
    with ExitStack() as people:

        def make(name: str) -> Person:
            person = Person(stage.http_url, stage.websocket_url, name)
            people.callback(person.close)
            return person.register()

        yield make


@pytest.fixture
def alice(somebody: Callable[[str], Person]) -> Person:
    return somebody("alice")


@pytest.fixture
def bob(somebody: Callable[[str], Person]) -> Person:
    return somebody("bob")


@pytest.fixture
def carol(somebody: Callable[[str], Person]) -> Person:
    return somebody("carol")
