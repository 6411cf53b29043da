"""Synthesizes each stage once for all tests of the infrastructure."""

from pathlib import Path

import pytest

from tests.infrastructure.synthesis import Synthesis, synthesize
from tests.infrastructure.variants import ALL, STAGES


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Give the test that happens to synthesize the time which that takes on a busy machine."""
    for item in items:
        if item.path.is_relative_to(Path(__file__).parent):
            item.add_marker(pytest.mark.timeout(400))


@pytest.fixture(scope="session")
def syntheses(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Synthesis]:
    """Every stage's assembly."""
    return synthesize(tmp_path_factory.mktemp("cdk"))


@pytest.fixture(params=ALL)
def variant(request: pytest.FixtureRequest, syntheses: dict[str, Synthesis]) -> Synthesis:
    """Every stage and every option in turn."""
    return syntheses[request.param]


@pytest.fixture(params=STAGES)
def stage(request: pytest.FixtureRequest, syntheses: dict[str, Synthesis]) -> Synthesis:
    """Every stage in turn."""
    return syntheses[request.param]


@pytest.fixture(params=["dev", "prod"])
def managed_stage(request: pytest.FixtureRequest, syntheses: dict[str, Synthesis]) -> Synthesis:
    """The stages on AWS in turn."""
    return syntheses[request.param]


@pytest.fixture
def local(syntheses: dict[str, Synthesis]) -> Synthesis:
    """The local stage."""
    return syntheses["local"]


@pytest.fixture
def dev(syntheses: dict[str, Synthesis]) -> Synthesis:
    """The stage for developers on AWS."""
    return syntheses["dev"]


@pytest.fixture
def prod(syntheses: dict[str, Synthesis]) -> Synthesis:
    """The stage for users."""
    return syntheses["prod"]
