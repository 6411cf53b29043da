"""Invalidations: writers append them to 16 capped streams, readers follow those in the pipelines they send anyway.

A frozen function cannot listen to a subscription; a stream waits for it. Whoever does run for long can subscribe to
CHANNEL instead.
"""

import threading
from collections.abc import Callable, Iterable, Sequence
from functools import partial
from typing import Protocol
from zlib import crc32

import msgspec

from gochat_repo.cache import Command, Reply, command

STREAMS = 16
MAX_ENTRIES = 1000
"""Of one stream, about. A reader asks seconds apart while it remembers anything; whom this overtakes drops it all."""

MAX_HEARD = 200
"""Entries of one stream that a reader takes at once: beyond, dropping everything is cheaper."""

STREAM_TTL_S = 3600
"""Every key must expire: ElastiCache Serverless evicts no others."""

CHANNEL = "invalidations"

_FIELD = "k"
_ANCHOR = "anchor"
_encode = msgspec.json.Encoder().encode


class Listener(Protocol):
    """What a container remembers, and must forget when told so."""

    def forget(self, key: str) -> None:
        """Forget one key."""
        ...

    def forget_all(self) -> None:
        """Forget everything: invalidations were missed."""
        ...


class _Place(msgspec.Struct):
    """Where a reader stands in one stream: the last entry that it knows, None while it knows none."""

    last_id: bytes | None = None
    is_empty: bool = False
    wanted_until_s: float = 0.0


class _Question(msgspec.Struct, frozen=True):
    """One stream's command in a pipeline, and where the reader stood when it asked."""

    stream: int
    kind: str
    last_id: bytes | None


def stream_of(key: str) -> int:
    """Return which stream tells of a key."""
    return crc32(key.encode()) % STREAMS


def invalidate_commands(keys: Iterable[str]) -> list[Command]:
    """Make the commands that tell every reader to forget these keys; they go after the write's commit."""
    by_stream: dict[int, list[str]] = {}
    for key in keys:
        by_stream.setdefault(stream_of(key), []).append(key)
    commands: list[Command] = []
    for stream, changed in by_stream.items():
        fields = [part for key in changed for part in (_FIELD, key)]
        name = _name(stream)
        commands += [
            command("XADD", name, "MAXLEN", "~", MAX_ENTRIES, "*", *fields),
            command("EXPIRE", name, STREAM_TTL_S),
            command("PUBLISH", CHANNEL, _encode(changed), key=name),
        ]
    return commands


class Feed:
    """Follows the streams of what one container remembers. Safe for use by several threads."""

    def __init__(self, listener: Listener, now_s: Callable[[], float], *, kept_s: float) -> None:
        """`kept_s`: how long the container remembers a value; so long its stream is followed."""
        self._listener = listener
        self._now_s = now_s
        self._kept_s = kept_s
        self._lock = threading.Lock()
        self._places: dict[int, _Place] = {}

    def follow(self, key: str) -> bool:
        """Follow a key's stream from the next pipeline on; tell whether it is followed already.

        Only what is read while its stream is followed may be remembered: else its invalidation could be missed.
        """
        place = self._places.setdefault(stream_of(key), _Place())
        place.wanted_until_s = self._now_s() + self._kept_s
        return place.last_id is not None

    def board(self) -> tuple[list[Command], Callable[[Sequence[Reply]], None]]:
        """Return the commands that ride in a pipeline, and what takes their replies."""
        now_s = self._now_s()
        questions = [
            _Question(stream, _kind(place), place.last_id)
            for stream, place in list(self._places.items())
            if place.wanted_until_s > now_s
        ]
        anchored = [_Question(one.stream, "expire", None) for one in questions if one.kind == "anchor"]
        questions += anchored
        return [_command(one) for one in questions], partial(self._hear, questions)

    def _hear(self, questions: Sequence[_Question], replies: Sequence[Reply]) -> None:
        with self._lock:
            for question, reply in zip(questions, replies, strict=True):
                if reply is None:
                    self._lose(question.stream)
                elif question.kind == "read":
                    self._hear_entries(question, reply)
                elif question.kind == "find":
                    self._stand(question.stream, reply[0][0] if reply else None)
                elif question.kind == "anchor":
                    self._stand(question.stream, reply)

    def _stand(self, stream: int, last_id: bytes | None) -> None:
        place = self._places[stream]
        # Another thread may stand further back, where what it remembers needs it to stand.
        if place.last_id is None:
            place.last_id, place.is_empty = last_id, last_id is None

    def _hear_entries(self, question: _Question, entries: list[tuple[bytes, list[bytes]]]) -> None:
        if not entries or entries[0][0] != question.last_id or len(entries) > MAX_HEARD:
            self._lose(question.stream)
            return
        for _, fields in entries[1:]:
            for name, key in zip(fields[::2], fields[1::2], strict=True):
                if name == _FIELD.encode():
                    self._listener.forget(key.decode())
        place = self._places[question.stream]
        # Another thread may have heard more meanwhile.
        if place.last_id is not None and _order(entries[-1][0]) > _order(place.last_id):
            place.last_id = entries[-1][0]

    def _lose(self, stream: int) -> None:
        """Trimmed past, flushed, or out of reach: nobody knows what was invalidated meanwhile."""
        place = self._places[stream]
        place.last_id, place.is_empty = None, False
        self._listener.forget_all()


def _kind(place: _Place) -> str:
    if place.last_id is not None:
        return "read"
    return "anchor" if place.is_empty else "find"


def _command(question: _Question) -> Command:
    name = _name(question.stream)
    if question.kind == "read":
        # From the last known entry on, that one too: if it has gone, so may have others behind it.
        assert question.last_id is not None
        return command("XRANGE", name, question.last_id, "+", "COUNT", MAX_HEARD + 1)
    if question.kind == "anchor":
        # In an empty stream nobody could tell a flush from silence.
        return command("XADD", name, "MAXLEN", "~", MAX_ENTRIES, "*", _ANCHOR, "")
    if question.kind == "expire":
        return command("EXPIRE", name, STREAM_TTL_S)
    return command("XREVRANGE", name, "+", "-", "COUNT", 1)


def _order(entry_id: bytes) -> tuple[int, int]:
    milliseconds, _, number = entry_id.partition(b"-")
    return int(milliseconds), int(number)


def _name(stream: int) -> str:
    return f"invalidations:{stream}"
