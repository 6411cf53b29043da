"""Runs a service in a container: a gRPC server on its port, a member of the registry while it serves."""

from collections.abc import Callable, Mapping

from gochat_aws.grpc_server import serve
from gochat_aws.invoke_server import InvokeServer
from gochat_aws.registry.membership import membership_from
from gochat_core.logs import make_logger


def run_container(
    service: str,
    build: Callable[[Mapping[str, str]], InvokeServer],
    environ: Mapping[str, str],
    *,
    default_address: str,
) -> None:
    """Serve at GOCHAT_GRPC_ADDRESS until SIGTERM, registered while GOCHAT_REGISTRY_ENDPOINT tells under which address.

    Raises ValueError for settings that are missing, RuntimeError when the address is taken.
    """
    logger = make_logger(service, environ.get("GOCHAT_LOG_LEVEL", "INFO"))
    membership = membership_from(environ, service, logger=logger)

    def on_start(address: str) -> None:
        logger.info("serving gRPC", extra={"address": address})
        if membership is not None:
            membership.join()

    serve(
        lambda: build(environ),
        address=environ.get("GOCHAT_GRPC_ADDRESS", default_address),
        on_start=on_start,
        on_drain=membership.drain if membership is not None else lambda: None,
    )
    if membership is not None:
        membership.leave()
