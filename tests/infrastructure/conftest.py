"""Synthesizes each stage once for all tests of the infrastructure."""

import pytest

from tests.infrastructure.synthesis import STAGES, Synthesis, start_synthesis


@pytest.fixture(scope="session")
def syntheses(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Synthesis]:
    """Every stage's assembly, side by side: Node's start is most of the time."""
    home = tmp_path_factory.mktemp("cdk")
    running = {stage: start_synthesis(stage, home / stage) for stage in STAGES}
    outcomes = {stage: process.communicate()[1] for stage, process in running.items()}
    for stage, process in running.items():
        assert process.returncode == 0, f"the stage {stage} does not synthesize:\n{outcomes[stage]}"
    return {stage: Synthesis(stage, home / stage) for stage in STAGES}


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
