"""Serves im-repo's gRPC calls (RepoService) from a container: over HTTP/2, with the wiring that Lambda uses."""

import os

from gochat_aws.grpc_server import serve
from repo.rpc import wiring


def main() -> None:
    """Serve at GOCHAT_GRPC_ADDRESS until SIGTERM; the other settings are those of the function repo-rpc."""
    serve(lambda: wiring.build(os.environ), address=os.environ.get("GOCHAT_GRPC_ADDRESS", "127.0.0.1:50052"))


if __name__ == "__main__":
    main()
