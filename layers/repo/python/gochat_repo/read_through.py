"""Reads values from this container, else from Redis, else from MySQL, and fills both; drops them when they change."""

import contextlib
import random
import time
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Generic, TypeVar, cast

import msgspec

from gochat_repo.cache import Cache, CacheUnavailable, Command
from gochat_repo.cache_entries import (
    Entry,
    State,
    bury_command,
    claim_command,
    fill_command,
    mark_command,
    new_token,
    parse_entry,
    remember_command,
    take_command,
)
from gochat_repo.flights import Flights
from gochat_repo.invalidations import Feed, invalidate_commands
from gochat_repo.local_cache import LOCAL_TTL_S, MISSING, LocalCache
from gochat_repo.mysql import Database, Transaction
from gochat_repo.owed_invalidations import OwedInvalidations

K = TypeVar("K")
V = TypeVar("V")

PAUSES_S = (0.005, 0.01, 0.02, 0.04, 0.08, 0.16, 0.2, 0.02, 0.04, 0.08, 0.16)
"""Between looks for what another container is reading: first until its lease runs out, then until the next one's value
comes; about 0.8 s in all. Then the database is asked anyway."""


@dataclass(frozen=True, kw_only=True)
class Kind(Generic[K, V]):
    """One kind of cached value. For display and fan-out only: a permission to write is never read from here."""

    name: str
    """Keys are `name:id`."""

    load: Callable[[Transaction, Sequence[K]], Mapping[K, V]]
    """Reads several from MySQL; what does not exist is left out."""

    encode: Callable[[V], bytes]
    decode: Callable[[bytes], V]
    """Raises `msgspec.MsgspecError` for what another release wrote."""

    write_id: Callable[[K], str] = str
    is_local: bool = False
    """Whether a container remembers it itself, for LOCAL_TTL_S at most."""

    reads_writer: bool = False
    """Whether a reader of Aurora, which may lag, is no good even when nothing was written lately."""

    def key(self, one: K) -> str:
        """Return the key of one value."""
        return f"{self.name}:{self.write_id(one)}"


@dataclass(slots=True)
class _Asked:
    """What Redis said about some keys; the leases are ours."""

    found: dict[str, object] = field(default_factory=dict)
    leased: list[str] = field(default_factory=list)
    leased_from_writer: list[str] = field(default_factory=list)
    elsewhere: dict[str, bytes] = field(default_factory=dict)
    writing: list[str] = field(default_factory=list)


class ReadThrough:
    """The cache of one container; safe for use by several threads. Without Redis everything is read from the writer."""

    def __init__(
        self,
        database: Database,
        cache: Cache,
        *,
        now_s: Callable[[], float] = time.monotonic,
        pause: Callable[[float], None] = time.sleep,
    ) -> None:
        self._database = database
        self._cache = cache
        self._now_s = now_s
        self._pause = pause
        self._local = LocalCache(now_s=now_s)
        self._flights = Flights(self._local)
        self._feed = Feed(self._flights, now_s, kept_s=LOCAL_TTL_S)
        self._owed = OwedInvalidations()
        cache.carry(self._feed)
        cache.carry(self._owed)

    def get(self, kind: Kind[K, V], one: K) -> V | None:
        """Return one value, None where there is none; raises `Unavailable`."""
        key = kind.key(one)
        if kind.is_local and (held := self._local.get(key)) is not MISSING:
            return cast("V | None", held)
        return cast("V | None", self._fetch(kind, {key: one})[key])

    def get_many(self, kind: Kind[K, V], wanted: Collection[K]) -> dict[K, V]:
        """Return several values, without those that there are not; raises `Unavailable`.

        One cache round trip when Redis holds all of them; else one database round trip and one more to fill. What was
        written lately takes one more of each.
        """
        keys = {kind.key(one): one for one in wanted}
        found: dict[str, Any] = {}
        if kind.is_local:
            found = {key: held for key in keys if (held := self._local.get(key)) is not MISSING}
        missing = {key: one for key, one in keys.items() if key not in found}
        if missing:
            found |= self._fetch(kind, missing)
        return {one: value for key, one in keys.items() if (value := found[key]) is not None}

    def remember(self, kind: Kind[K, V], one: K, value: V) -> None:
        """Keep a value that was just read from the writer."""
        self._try([remember_command(kind.key(one), kind.encode(value))])

    @contextlib.contextmanager
    def changing(self, kind: Kind[K, V], ids: Collection[K]) -> Iterator[None]:
        """Invalidate values around the block that changes them: nothing old stays cached, however the block ends."""
        self._try([mark_command(kind.key(one)) for one in ids])
        try:
            yield
        finally:
            # Also when the block failed: it may not be known whether it was committed.
            for one in ids:
                self._flights.forget(kind.key(one))
            self._tell_written(kind, ids)

    def _fetch(self, kind: Kind[K, V], wanted: dict[str, K]) -> dict[str, Any]:
        """Read values from Redis or MySQL; of several threads that want one key, one reads it."""
        flight = self._flights.board(wanted)
        read_at_s = self._now_s()
        found: dict[str, Any] = {}
        keep: set[str] = set()
        try:
            if flight.keys:
                found, keep = self._read(kind, {key: wanted[key] for key in flight.keys})
        finally:
            self._flights.land(flight, found, keep=keep, read_at_s=read_at_s)
        joined = {key: other.wait_for(key) for key, other in flight.others.items()}
        late = {key: wanted[key] for key, value in joined.items() if value is MISSING}
        return found | joined | self._load(kind, late, from_writer=True)

    def _read(self, kind: Kind[K, V], wanted: dict[str, K]) -> tuple[dict[str, Any], set[str]]:
        """Return the values, and the keys of those that this container may remember."""
        keep = {key for key in wanted if kind.is_local and self._feed.follow(key)}
        token = new_token()
        found: dict[str, Any] = {}
        writing: list[str] = []
        asking = list(wanted)
        try:
            for pause_s in (0.0, *PAUSES_S):
                if pause_s:
                    self._pause(pause_s * random.uniform(0.8, 1.2))  # noqa: S311 - jitter
                asked = self._ask(kind, asking, token)
                found |= asked.found
                writing += asked.writing
                # Before anybody else is waited for, who may wait for us.
                found |= self._load_leased(kind, wanted, asked, token)
                asking = list(asked.elsewhere)
                if not asking:
                    break
            else:
                # Whoever was to read these is slow, or died.
                taken = self._claim(asked.elsewhere, token)
                found |= self._load_leased(kind, wanted, _Asked(leased_from_writer=taken), token)
        except CacheUnavailable:
            keep.clear()
        rest = {key: one for key, one in wanted.items() if key not in found}
        return found | self._load(kind, rest, from_writer=True), keep - rest.keys()

    def _ask(self, kind: Kind[K, V], keys: Sequence[str], token: bytes) -> _Asked:
        """Look into Redis, leaving leases where there is nothing: one round trip, one more for what was written."""
        replies = self._cache.run([take_command(key, token) for key in keys])
        asked = _Asked()
        claimable: dict[str, bytes] = {}
        for key, reply in zip(keys, replies, strict=True):
            entry = parse_entry(reply, token)
            if entry.state is State.VALUE:
                try:
                    asked.found[key] = kind.decode(entry.payload)
                    continue
                except msgspec.MsgspecError:
                    entry = Entry(State.CLAIMABLE, reply)
            match entry.state:
                case State.ABSENT:
                    asked.found[key] = None
                case State.MINE:
                    asked.leased.append(key)
                case State.MINE_FROM_WRITER:
                    asked.leased_from_writer.append(key)
                case State.WRITING:
                    asked.writing.append(key)
                case State.ELSEWHERE:
                    asked.elsewhere[key] = reply
                case State.CLAIMABLE:
                    claimable[key] = reply
        asked.leased_from_writer += (claimed := self._claim(claimable, token))
        asked.elsewhere |= {key: claimable[key] for key in claimable.keys() - claimed}
        return asked

    def _claim(self, found: Mapping[str, bytes], token: bytes) -> list[str]:
        """Lease entries for reading the writer; return the keys for which nobody was faster."""
        replies = self._cache.run([claim_command(key, reply, token) for key, reply in found.items()])
        return [key for key, reply in zip(found, replies, strict=True) if reply]

    def _load_leased(self, kind: Kind[K, V], wanted: dict[str, K], asked: _Asked, token: bytes) -> dict[str, Any]:
        """Read what we hold leases for, and fill it in."""
        found = self._load(kind, {key: wanted[key] for key in asked.leased}, from_writer=kind.reads_writer)
        found |= self._load(kind, {key: wanted[key] for key in asked.leased_from_writer}, from_writer=True)
        fills = [
            fill_command(key, token, None if value is None else kind.encode(value), from_writer=key not in asked.leased)
            for key, value in found.items()
        ]
        self._try(fills)
        return found

    def _load(self, kind: Kind[K, V], wanted: dict[str, K], *, from_writer: bool) -> dict[str, Any]:
        """Read from MySQL; what does not exist is None."""
        if not wanted:
            return {}
        ids = list(wanted.values())
        read = self._database.read if from_writer else self._database.read_replica
        loaded = read(lambda tx: kind.load(tx, ids))
        return {key: loaded.get(one) for key, one in wanted.items()}

    def _tell_written(self, kind: Kind[K, V], ids: Collection[K]) -> None:
        try:
            self._cache.run(written_commands(kind, ids))
        except CacheUnavailable:
            self._owed.add({kind.key(one): written_commands(kind, [one]) for one in ids})

    def _try(self, commands: Sequence[Command]) -> None:
        with contextlib.suppress(CacheUnavailable):
            self._cache.run(commands)


def written_commands(kind: Kind[K, V], ids: Collection[K]) -> list[Command]:
    """Make the commands that go after the commit of a write, for a pipeline that is sent anyway."""
    keys = [kind.key(one) for one in ids]
    commands = [bury_command(key) for key in keys]
    return commands + invalidate_commands(keys) if kind.is_local else commands
