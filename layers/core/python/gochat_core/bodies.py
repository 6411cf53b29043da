"""Reads the JSON that clients send, field by field, so that a refusal lists every fault and not only the first."""

import re
from collections.abc import Mapping
from functools import cache
from typing import TypeVar, get_type_hints

import msgspec

from gochat_core.errors import FieldFault, InvalidRequest

BodyT = TypeVar("BodyT", bound=msgspec.Struct)

REQUIRED = "is required"

_DECODE_FAULTS = (msgspec.MsgspecError, UnicodeError, RecursionError)
_PATH = re.compile(r"(?P<message>.*?)(?: - at `\$(?P<path>.*)`)?", re.DOTALL)
_STEP = re.compile(r"\[([0-9]+)\]|\.([^.\[\]]+)|\[\.\.\.\]")

_decode_object = msgspec.json.Decoder(dict[str, msgspec.Raw]).decode


def read_object(data: bytes | str) -> dict[str, msgspec.Raw]:
    """Split one JSON object into its members, undecoded; of a name that stands twice the last one counts.

    Raises `InvalidRequest` for what is no JSON object.
    """
    try:
        if isinstance(data, bytes):
            # msgspec passes over a member that nobody reads without a look at its text.
            data.decode()
        return _decode_object(data)
    except _DECODE_FAULTS:
        raise InvalidRequest("The body is not a JSON object in UTF-8") from None


def read_body(shape: type[BodyT], data: bytes | str) -> BodyT:
    """Decode one JSON object into `shape`, ignoring members that it does not name.

    Raises `InvalidRequest` with a `FieldFault` for every member that is missing or ill-typed.
    """
    return read_members(shape, read_object(data))


def read_members(shape: type[BodyT], members: Mapping[str, msgspec.Raw], *, prefix: str = "") -> BodyT:
    """Decode the members of an object that was split before; `prefix` (`content.`) begins the faults' paths."""
    values: dict[str, object] = {}
    faults: list[FieldFault] = []
    for name, decoder, required in _decoders(shape):
        if name not in members:
            if required:
                faults.append(FieldFault(field=prefix + name, message=REQUIRED))
            continue
        try:
            values[name] = decoder.decode(members[name])
        except _DECODE_FAULTS as fault:
            faults.append(_field_fault(prefix + name, str(fault) if isinstance(fault, msgspec.MsgspecError) else ""))
    if faults:
        raise InvalidRequest(faults=faults)
    return shape(**values)


def check_values(shape: type[BodyT], values: Mapping[str, object]) -> BodyT:
    """Fill `shape` from values that came decoded (gRPC), under the same rules; raises as `read_body`."""
    checked: dict[str, object] = {}
    faults: list[FieldFault] = []
    for name, decoder, required in _decoders(shape):
        if name not in values:
            if required:
                faults.append(FieldFault(field=name, message=REQUIRED))
            continue
        try:
            checked[name] = msgspec.convert(values[name], decoder.type)
        except msgspec.ValidationError as fault:
            faults.append(_field_fault(name, str(fault)))
    if faults:
        raise InvalidRequest(faults=faults)
    return shape(**checked)


@cache
def _decoders(shape: type[msgspec.Struct]) -> tuple[tuple[str, msgspec.json.Decoder[object], bool], ...]:
    hints = get_type_hints(shape, include_extras=True)
    return tuple(
        (field.name, msgspec.json.Decoder(hints[field.name]), field.required) for field in msgspec.structs.fields(shape)
    )


def _field_fault(field: str, text: str) -> FieldFault:
    """Turn msgspec's "Expected `int`, got `str` - at `$[2]`" into a dotted path and a message."""
    match = _PATH.fullmatch(text)
    message, path = (match["message"], match["path"] or "") if match else (text, "")
    steps = [index or name for index, name in _STEP.findall(path) if index or name]
    return FieldFault(field=".".join((field, *steps)), message=message or "is not valid JSON in UTF-8")
