import pytest

from local_stage.services.ports import pick_free_port


@pytest.fixture
def free_port() -> int:
    """Give a port on which nobody listens."""
    return pick_free_port()
