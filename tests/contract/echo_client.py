"""Calls the Echo service over any channel."""

from typing import Any

import grpc
import pytest

from tests.contract.echo_service import SERVICE, TOKEN


def method_of(channel: grpc.Channel, method: str) -> Any:
    """Return the callable of one method."""
    return channel.unary_unary(f"/{SERVICE}/{method}", lambda b: b, lambda b: b)


def call(channel: grpc.Channel, method: str, request: bytes = b"", **options: Any) -> tuple[bytes, Any]:
    """Make a call with a good token; return the answer and the outcome."""
    metadata = (("authorization", TOKEN), *options.pop("metadata", ()))
    answer: tuple[bytes, Any] = method_of(channel, method).with_call(
        request, **{"timeout": 10.0, "metadata": metadata, **options}
    )
    return answer


def failure(channel: grpc.Channel, method: str, request: bytes = b"", **options: Any) -> Any:
    """Make a call that fails; return how."""
    with pytest.raises(grpc.RpcError) as failed:
        call(channel, method, request, **options)
    return failed.value


def pairs(metadata: Any) -> list[tuple[str, str | bytes]]:
    """Return metadata as plain pairs."""
    return [(key, value) for key, value in metadata]
