"""Kinds of cached values: how each is loaded and written down, and what a write of one says to the caches."""

from collections.abc import Callable, Collection, Mapping, Sequence
from typing import Generic, TypeVar

import msgspec

from gochat_repo.cache import Command, command
from gochat_repo.cache_entries import VALUE_TTL_S, bury_command, remember_command
from gochat_repo.invalidations import invalidate_commands
from gochat_repo.mysql import Transaction

K = TypeVar("K")
V = TypeVar("V")


class Kind(msgspec.Struct, Generic[K, V], frozen=True, kw_only=True, eq=False):
    """One kind of cached value. For display and fan-out only: a permission to write is never read from here."""

    name: str
    """Keys are `name:id`."""

    load: Callable[[Transaction, Sequence[K]], Mapping[K, V]]
    """Reads several from MySQL; what does not exist is left out."""

    encode: Callable[[V], bytes]
    decode: Callable[[bytes], V]
    """Raises `msgspec.MsgspecError` for what another release wrote."""

    write_id: Callable[[K], str] = str
    ttl_s: int = VALUE_TTL_S
    is_local: bool = False
    """Whether a container remembers it itself, for LOCAL_TTL_S at most."""

    reads_writer: bool = False
    """Whether a reader of Aurora, which may lag, is no good even when nothing was written lately."""

    waits: bool = True
    """Whether whoever finds that another container is reading it waits for that, or reads it too."""

    leaves_tombstone: bool = True
    """Whether a write leaves a mark, so that no reader of Aurora is asked soon and nothing old is remembered.

    What is read from the writer and never remembered needs none: a lease is enough.
    """

    keeps_absence: bool = True
    """Whether it is remembered, for a moment, that there is nothing under an id."""

    def key(self, one: K) -> str:
        """Return the key of one value."""
        return f"{self.name}:{self.write_id(one)}"


def written_commands(kind: Kind[K, V], ids: Collection[K]) -> list[Command]:
    """Make the commands that go after the commit of a write, for a pipeline that is sent anyway."""
    keys = [kind.key(one) for one in ids]
    commands = [bury_command(key) if kind.leaves_tombstone else command("DEL", key) for key in keys]
    return commands + invalidate_commands(keys) if kind.is_local else commands


def remember_commands(kind: Kind[K, V], values: Mapping[K, V]) -> list[Command]:
    """Make the commands that keep values which were just read from, or written to, the writer."""
    return [remember_command(kind.key(one), kind.encode(value), ttl_s=kind.ttl_s) for one, value in values.items()]
