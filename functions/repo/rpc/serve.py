"""Serves im-repo's gRPC calls (RepoService) from a container: over HTTP/2, with the wiring that Lambda uses."""

import os

from gochat_aws.grpc_server import serve
from gochat_core.logs import make_logger
from repo.rpc import wiring

DEFAULT_ADDRESS = "127.0.0.1:50052"


def main() -> None:
    """Serve at GOCHAT_GRPC_ADDRESS until SIGTERM; the other settings are those of the function repo-rpc."""
    logger = make_logger(wiring.SERVICE, os.environ.get("GOCHAT_LOG_LEVEL", "INFO"))
    serve(
        lambda: wiring.build(os.environ),
        address=os.environ.get("GOCHAT_GRPC_ADDRESS", DEFAULT_ADDRESS),
        on_start=lambda address: logger.info("serving gRPC", extra={"address": address}),
    )


if __name__ == "__main__":
    main()
