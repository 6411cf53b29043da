"""Typed settings out of the environment: read once when a container starts, with every fault named at once."""

from collections.abc import Mapping
from typing import TypeVar

import msgspec

PREFIX = "GOCHAT_"

SettingsT = TypeVar("SettingsT", bound=msgspec.Struct)


def read_settings(shape: type[SettingsT], environ: Mapping[str, str]) -> SettingsT:
    """Fill `shape` from the variables GOCHAT_<FIELD>; text becomes the field's type (`true`, `20`, `0.5`).

    Empty variables count as absent, so that a template may always name them. Raises `ValueError` with the variable's
    name when one is missing or ill-typed: a container with half its settings must not start.
    """
    given = {
        field.name: environ[PREFIX + field.name.upper()]
        for field in msgspec.structs.fields(shape)
        if environ.get(PREFIX + field.name.upper())
    }
    try:
        return msgspec.convert(given, shape, strict=False)
    except msgspec.ValidationError as fault:
        raise ValueError(f"environment of {shape.__name__} ({PREFIX}…): {fault}") from fault
