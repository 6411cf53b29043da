"""Reads values from this container, else from Redis, else from MySQL, and fills both; drops them when they change."""

import contextlib
import random
import time
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from typing import Any, cast

import msgspec

from gochat_repo.cache import Cache, CacheUnavailable, Command
from gochat_repo.cache_entries import (
    State,
    claim_command,
    fill_command,
    mark_command,
    new_token,
    parse_entry,
    take_command,
)
from gochat_repo.cached_kinds import K, Kind, V, remember_commands, written_commands
from gochat_repo.flights import Flights
from gochat_repo.invalidations import Feed
from gochat_repo.local_cache import LOCAL_TTL_S, MISSING, LocalCache
from gochat_repo.mysql import Database, Transaction
from gochat_repo.owed_invalidations import OwedInvalidations

PAUSES_S = (0.005, 0.01, 0.02, 0.04, 0.08, 0.16, 0.2, 0.02, 0.04, 0.08, 0.16)
"""Between looks for what another container is reading: first until its lease runs out, then until the next one's value
comes; about 0.8 s in all. Then the database is asked anyway."""


_Wanted = dict[str, tuple[Kind[Any, Any], Any]]
"""What is wanted, by key: its kind and its id."""


class _Asked(msgspec.Struct):
    """What Redis said about some keys: values; our leases, and whether they are for the writer; those of others."""

    found: dict[str, Any] = {}
    leased: dict[str, bool] = {}
    elsewhere: dict[str, bytes] = {}


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
        return cast("V | None", self._fetch({key: (kind, one)})[key])

    def get_many(self, kind: Kind[K, V], ids: Collection[K], *, also: Sequence[Command] = ()) -> dict[K, V]:
        """Return several values, without those that there are not; raises `Unavailable`.

        One cache round trip when Redis holds all of them; else one database round trip and one more to fill. What was
        written lately takes one more of each. `also` rides in the first one; without Redis it is lost.
        """
        found: dict[K, V] = self.get_each([(kind, ids)], also=also)[0]
        return found

    def get_each(
        self, wanted: Sequence[tuple[Kind[Any, Any], Collection[Any]]], *, also: Sequence[Command] = ()
    ) -> list[dict[Any, Any]]:
        """Return values of several kinds as `get_many` does, in the same round trips (the database: one a kind)."""
        places = {kind.key(one): (kind, one) for kind, ids in wanted for one in ids}
        found = {
            key: held
            for key, (kind, _) in places.items()
            if kind.is_local and (held := self._local.get(key)) is not MISSING
        }
        missing = {key: place for key, place in places.items() if key not in found}
        if missing:
            found |= self._fetch(missing, also)
        elif also:
            self._try(also)
        return [{one: value for one in ids if (value := found[kind.key(one)]) is not None} for kind, ids in wanted]

    def remember(self, kind: Kind[K, V], values: Mapping[K, V]) -> None:
        """Keep values that were just read from the writer, or written to it."""
        self._try(remember_commands(kind, values))

    @contextlib.contextmanager
    def changing(self, kind: Kind[K, V], ids: Collection[K]) -> Iterator[None]:
        """Invalidate values around the block that changes them: nothing old stays cached, however the block ends."""
        self.begin_change(kind, ids)
        try:
            yield
        finally:
            # Also when the block failed: it may not be known whether it was committed.
            self.end_change(kind, ids)

    def begin_change(self, kind: Kind[K, V], ids: Collection[K]) -> None:
        """Keep everybody from caching values that are about to change; one cache round trip."""
        self._try([mark_command(kind.key(one)) for one in ids])

    def end_change(self, kind: Kind[K, V], ids: Collection[K], *, also: Sequence[Command] = ()) -> None:
        """Invalidate values after the commit that changed them; one cache round trip, in which `also` rides.

        What Redis does not take, because it is away, goes with the first pipeline that it answers; `also` does not.
        """
        for one in ids:
            self._flights.forget(kind.key(one))
        try:
            self._cache.run([*written_commands(kind, ids), *also])
        except CacheUnavailable:
            self._owed.add({kind.key(one): written_commands(kind, [one]) for one in ids})

    def _fetch(self, wanted: _Wanted, also: Sequence[Command] = ()) -> dict[str, Any]:
        """Read values from Redis or MySQL; of several threads that want one key, one reads it."""
        flight = self._flights.board(wanted)
        read_at_s = self._now_s()
        found: dict[str, Any] = {}
        keep: set[str] = set()
        try:
            found, keep = self._read({key: wanted[key] for key in flight.keys}, also)
        finally:
            self._flights.land(flight, found, keep=keep, read_at_s=read_at_s)
        joined = {key: other.wait_for(key) for key, other in flight.others.items()}
        late = {key: wanted[key] for key, value in joined.items() if value is MISSING}
        return found | joined | self._load(late, from_writer=True)

    def _read(self, wanted: _Wanted, also: Sequence[Command]) -> tuple[dict[str, Any], set[str]]:
        """Return the values, and the keys of those that this container may remember."""
        keep = {key for key, (kind, _) in wanted.items() if kind.is_local and self._feed.follow(key)}
        token = new_token()
        found: dict[str, Any] = {}
        asking = wanted
        # Without Redis no stream could be heard either, so that nothing is remembered.
        with contextlib.suppress(CacheUnavailable):
            for pause_s in (0.0, *PAUSES_S):
                if pause_s:
                    self._pause(pause_s * random.uniform(0.8, 1.2))  # noqa: S311 - jitter
                asked = self._ask(asking, token, also)
                also = ()
                # What is ours to read before what others read, who may be waiting for us.
                found |= asked.found | self._load_leased(wanted, asked.leased, token)
                asking = {key: wanted[key] for key in asked.elsewhere if wanted[key][0].waits}
                if not asking:
                    break
            else:
                # Whoever was to read these is slow, or died.
                taken = self._claim({key: asked.elsewhere[key] for key in asking}, token)
                found |= self._load_leased(wanted, dict.fromkeys(taken, True), token)
        rest = {key: place for key, place in wanted.items() if key not in found}
        return found | self._load(rest, from_writer=True), keep - rest.keys()

    def _ask(self, wanted: _Wanted, token: bytes, also: Sequence[Command]) -> _Asked:
        """Look into Redis, leaving leases where there is nothing: one round trip, one more for what was written."""
        replies = self._cache.run([*(take_command(key, token) for key in wanted), *also])[: len(wanted)]
        asked = _Asked()
        claimable: dict[str, bytes] = {}
        for (key, (kind, _)), reply in zip(wanted.items(), replies, strict=True):
            state = parse_entry(reply, token)
            if state is State.VALUE:
                try:
                    asked.found[key] = kind.decode(reply[1:])
                except msgspec.MsgspecError:
                    claimable[key] = reply
            elif state is State.ABSENT:
                asked.found[key] = None
            elif state is State.MINE or state is State.MINE_FROM_WRITER:
                asked.leased[key] = state is State.MINE_FROM_WRITER
            elif state is State.ELSEWHERE:
                asked.elsewhere[key] = reply
            elif state is State.CLAIMABLE:
                claimable[key] = reply
        taken = self._claim(claimable, token)
        asked.leased |= dict.fromkeys(taken, True)
        asked.elsewhere |= {key: claimable[key] for key in claimable.keys() - taken}
        return asked

    def _claim(self, found: Mapping[str, bytes], token: bytes) -> list[str]:
        """Lease entries for reading the writer; return the keys for which nobody was faster."""
        replies = self._cache.run([claim_command(key, reply, token) for key, reply in found.items()])
        return [key for key, reply in zip(found, replies, strict=True) if reply]

    def _load_leased(self, wanted: _Wanted, leased: Mapping[str, bool], token: bytes) -> dict[str, Any]:
        """Read what we hold leases for, and fill it in."""
        found: dict[str, Any] = {}
        for from_writer in (False, True):
            keys = [
                key for key, is_claimed in leased.items() if (is_claimed or wanted[key][0].reads_writer) is from_writer
            ]
            found |= self._load({key: wanted[key] for key in keys}, from_writer=from_writer)
        fills = []
        for key, value in found.items():
            kind = wanted[key][0]
            if value is not None or kind.keeps_absence:
                payload = None if value is None else kind.encode(value)
                fills.append(fill_command(key, token, payload, from_writer=leased[key], ttl_s=kind.ttl_s))
        self._try(fills)
        return found

    def _load(self, wanted: _Wanted, *, from_writer: bool) -> dict[str, Any]:
        """Read from MySQL, a statement a kind; what does not exist is None."""
        if not wanted:
            return {}
        by_kind: dict[Kind[Any, Any], list[Any]] = {}
        for kind, one in wanted.values():
            by_kind.setdefault(kind, []).append(one)

        def work(tx: Transaction) -> dict[Kind[Any, Any], Mapping[Any, Any]]:
            return {kind: kind.load(tx, ids) for kind, ids in by_kind.items()}

        loaded = self._database.read(work) if from_writer else self._database.read_replica(work)
        return {key: loaded[kind].get(one) for key, (kind, one) in wanted.items()}

    def _try(self, commands: Sequence[Command]) -> None:
        with contextlib.suppress(CacheUnavailable):
            self._cache.run(commands)
