"""Errors over gRPC: a servicer's become a status with trailing metadata, a caller's are read out of it again."""

from typing import Any, NoReturn

import grpc

from gochat_contracts.error_metadata import ERROR_KEY, decode_error, encode_error
from gochat_core.errors import GochatError, InternalError, Unavailable

_STATUS_OF_HTTP = {
    400: grpc.StatusCode.INVALID_ARGUMENT,
    401: grpc.StatusCode.UNAUTHENTICATED,
    403: grpc.StatusCode.PERMISSION_DENIED,
    404: grpc.StatusCode.NOT_FOUND,
    405: grpc.StatusCode.UNIMPLEMENTED,
    409: grpc.StatusCode.ALREADY_EXISTS,
    413: grpc.StatusCode.OUT_OF_RANGE,
    429: grpc.StatusCode.RESOURCE_EXHAUSTED,
    503: grpc.StatusCode.UNAVAILABLE,
}

_UNTOLD: dict[grpc.StatusCode, type[GochatError]] = {
    grpc.StatusCode.UNAVAILABLE: Unavailable,
    grpc.StatusCode.DEADLINE_EXCEEDED: Unavailable,
}
"""What a call amounts to that the servicer itself did not answer; all else is a fault of ours."""


def abort_with(context: grpc.ServicerContext, error: GochatError) -> NoReturn:
    """End a call with an error; the client of these metadata is a gateway of ours, which renders it."""
    context.set_trailing_metadata(((ERROR_KEY, encode_error(error)),))
    context.abort(_STATUS_OF_HTTP.get(error.status, grpc.StatusCode.INTERNAL), error.code)
    raise AssertionError("abort raises")


def error_of(fault: Any) -> GochatError:
    """Return the error that a failed call stands for; `fault` is the RpcError, which is always a `grpc.Call` too."""
    for key, value in fault.trailing_metadata() or ():
        if key == ERROR_KEY and isinstance(value, bytes):
            return decode_error(value)
    return _UNTOLD.get(fault.code(), InternalError)()
