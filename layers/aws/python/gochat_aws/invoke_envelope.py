"""The envelope in which one gRPC call and its answer travel through a Lambda invocation."""

from base64 import b64decode, b64encode
from collections.abc import Iterable
from typing import Any, NamedTuple

import grpc
import msgspec

from gochat_aws.function_invoke import MAX_PAYLOAD_BYTES

MAX_MESSAGE_BYTES = (MAX_PAYLOAD_BYTES - 64 * 1024) * 3 // 4
"""Of a request or response in protobuf: in base64, beside metadata, it is to fit into the payload of an invocation. A
server over HTTP/2 has the same limit, so that a message which passes one transport passes every one."""


class Metadatum(NamedTuple):
    """One pair of metadata, of the shape of grpc's own; the value is bytes where the key ends in `-bin`."""

    key: str
    value: str | bytes


Metadata = tuple[Metadatum, ...]

_BINARY_SUFFIX = "-bin"
_CODES: dict[int, grpc.StatusCode] = {code.value[0]: code for code in grpc.StatusCode}


class CallEnvelope(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A call: `method` as `/package.Service/Method`, `body` the request in protobuf, metadata as gRPC has it.

    Trace and request id travel in the metadata, as they would over HTTP/2. Values of `-bin` keys are in base64.
    """

    grpc: str
    body: bytes = b""
    metadata: tuple[tuple[str, str], ...] = ()
    timeout_ms: int | None = None


class ReplyEnvelope(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """The answer: `code` is gRPC's number of the status; `body` is the response in protobuf when it is 0."""

    code: int = 0
    details: str = ""
    body: bytes = b""
    initial: tuple[tuple[str, str], ...] = ()
    trailing: tuple[tuple[str, str], ...] = ()


def status_code(number: int) -> grpc.StatusCode:
    """Return gRPC's status of that number; one that this version does not know is UNKNOWN."""
    return _CODES.get(number, grpc.StatusCode.UNKNOWN)


def pack_metadata(metadata: Iterable[Any] | None) -> tuple[tuple[str, str], ...]:
    """Turn gRPC metadata into text that JSON carries. Raises ValueError for a key with capitals, as gRPC does."""
    packed: list[tuple[str, str]] = []
    for key, value in metadata or ():
        if key != key.lower():
            raise ValueError(f"metadata keys are lower-case: {key!r}")
        if key.endswith(_BINARY_SUFFIX):
            packed.append((key, b64encode(value).decode()))
        else:
            packed.append((key, value.decode() if isinstance(value, bytes) else value))
    return tuple(packed)


def unpack_metadata(packed: Iterable[tuple[str, str]]) -> Metadata:
    """Undo `pack_metadata`."""
    return tuple(Metadatum(key, b64decode(value) if key.endswith(_BINARY_SUFFIX) else value) for key, value in packed)
