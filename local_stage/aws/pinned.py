"""Guard the names of MiniStack and hypercorn that this package replaces or relies on."""

from __future__ import annotations

from importlib.metadata import version
from types import ModuleType
from typing import Any

MINISTACK_VERSION = "1.5.33"


class PinnedNameError(Exception):
    """The installed MiniStack is not the one that this package was written for."""


def require(owner: ModuleType | type | dict[str, Any], *names: str) -> None:
    """Raise PinnedNameError unless `owner` has all `names`."""
    missing = [name for name in names if not (name in owner if isinstance(owner, dict) else hasattr(owner, name))]
    if missing:
        where = "its tables" if isinstance(owner, dict) else owner.__name__
        raise PinnedNameError(
            f"ministack {version('ministack')} lacks {', '.join(missing)} in {where}; local_stage.aws was written "
            f"for ministack=={MINISTACK_VERSION}: run uv sync --frozen --only-group stage."
        )


def replace(owner: ModuleType | type, name: str, substitute: object) -> Any:
    """Put `substitute` in the place of `owner.name`, which must exist, and give the original."""
    require(owner, name)
    original = getattr(owner, name)
    setattr(owner, name, substitute)
    return original
