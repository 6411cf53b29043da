"""Serves im-repo's gRPC calls (RepoService) from a container: over HTTP/2, with the wiring that Lambda uses."""

import os

from gochat_aws.container import run_container
from gochat_aws.registry.instances import REPO
from repo.rpc import wiring

DEFAULT_ADDRESS = "127.0.0.1:50052"


def main() -> None:
    """Serve until SIGTERM; the settings are those of the function repo-rpc and of `run_container`."""
    run_container(REPO, wiring.build, os.environ, default_address=DEFAULT_ADDRESS)


if __name__ == "__main__":
    main()
