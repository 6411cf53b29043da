"""Command line of the local AWS: `python -m local_stage.aws --port 4566 --state-dir .gochat/aws`."""

from __future__ import annotations

import sys

from local_stage.aws import environment, options
from local_stage.aws.pinned import PinnedNameError

ENVIRONMENT = (
    "The local AWS runs in an environment of its own: "
    "UV_PROJECT_ENVIRONMENT=.gochat/stage-venv uv sync --frozen --only-group stage"
)


def main() -> int:
    """Start the local AWS and serve until a signal."""
    chosen = options.parse()
    environment.prepare(chosen)
    return start(chosen)


def start(chosen: options.Options) -> int:
    """Import MiniStack, which reads its environment then, and serve."""
    try:
        from local_stage.aws import launcher

        return launcher.run(chosen)
    except PinnedNameError as error:
        print(error, file=sys.stderr)
    except ModuleNotFoundError as error:
        if error.name not in ("ministack", "hypercorn", "wsproto"):
            raise
        print(f"{error.name} is not installed here. {ENVIRONMENT}", file=sys.stderr)
    return 1


if __name__ == "__main__":
    sys.exit(main())
