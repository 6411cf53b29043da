"""How an error of im-logic travels to its caller: beside the gRPC status, as one piece of trailing metadata."""

import msgspec

from gochat_core.errors import FieldFault, GochatError, error_class

ERROR_KEY = "gochat-error-bin"
"""Binary metadata: a detail may hold any character, and gRPC's text metadata is ASCII."""

MAX_FAULTS = 50
"""Metadata should stay below the 8 KiB that gRPC over HTTP/2 lets through."""


class _Fault(msgspec.Struct, frozen=True, array_like=True):
    field: str
    message: str


class _Error(msgspec.Struct, frozen=True, omit_defaults=True):
    code: str
    detail: str
    faults: tuple[_Fault, ...] = ()
    retry_after_ms: int | None = None


def encode_error(error: GochatError) -> bytes:
    """Write an error for the trailing metadata."""
    return msgspec.json.encode(
        _Error(
            code=error.code,
            detail=error.detail,
            faults=tuple(_Fault(one.field, one.message) for one in error.faults[:MAX_FAULTS]),
            retry_after_ms=error.retry_after_ms,
        )
    )


def decode_error(data: bytes) -> GochatError:
    """Read an error out of the trailing metadata; raises `ValueError` for what is none."""
    told = msgspec.json.decode(data, type=_Error)
    return error_class(told.code)(
        told.detail,
        faults=[FieldFault(field=one.field, message=one.message) for one in told.faults],
        retry_after_ms=told.retry_after_ms,
    )
