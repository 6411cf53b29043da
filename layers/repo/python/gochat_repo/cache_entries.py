"""What may stand under the key of a cached value, and the commands that move it from one state to the next.

    (nothing) --take--> lease --fill--> value --mark--> writing --bury--> written --claim--> lease --fill--> value

A fill succeeds only where its own lease still stands, so a reader that was overtaken by a writer fills nothing, however
late it comes. A lease over `written` reads the writer: a reader of Aurora may still lag.
"""

import random
import secrets
from enum import Enum, auto

from gochat_repo.cache import Command, Reply, Script, command

VALUE_TTL_S = 60
"""How long a value may live at most. It bounds what no invalidation reached, because Redis was away for the writer."""

ABSENCE_TTL_S = 5
"""How long it is remembered that there is nothing under an id."""

LEASE_TTL_MS = 500
"""How long others wait for whoever reads the database; then the next one reads it."""

WRITTEN_TTL_S = 60
"""How long after a write the database is read at the writer: longer than Aurora lets a reader lag before it restarts it
(Aurora user guide, "Replication with Amazon Aurora MySQL")."""

WRITING_TTL_S = 30
"""How long a write that is under way, or whose function died, keeps everybody from caching what it changes."""

_VALUE = b"="
_ABSENT = b"-"
_LEASE = b"?"
_WRITER_LEASE = b"%"
_WRITING = b"~"
_WRITTEN = b"!"

SWAP = Script(
    "if redis.call('GET', KEYS[1]) ~= ARGV[1] then return 0 end"
    " redis.call('SET', KEYS[1], ARGV[2], 'PX', ARGV[3]) return 1"
)
"""Puts one entry in the place of exactly this other one."""


class State(Enum):
    """What a reader found under a key, and so what it does next."""

    VALUE = auto()
    ABSENT = auto()
    MINE = auto()  # read the reader, then fill
    MINE_FROM_WRITER = auto()  # read the writer, then fill
    ELSEWHERE = auto()  # somebody else reads it: wait
    WRITING = auto()  # read the writer, fill nothing
    CLAIMABLE = auto()  # written a while ago, or by another release: claim it, then read the writer


_STATES = {
    _VALUE: State.VALUE,
    _ABSENT: State.ABSENT,
    _LEASE: State.ELSEWHERE,
    _WRITER_LEASE: State.ELSEWHERE,
    _WRITING: State.WRITING,
}


def new_token() -> bytes:
    """Make the name of one reader's leases."""
    return secrets.token_bytes(8)


def take_command(key: str, token: bytes) -> Command:
    """Make the command that reads an entry, and where there is none leaves this reader's lease (Redis 7: NX with GET).

    Sent again because its reply was lost, it finds its own lease.
    """
    return command("SET", key, _LEASE + token, "NX", "GET", "PX", LEASE_TTL_MS)


def parse_entry(reply: Reply, token: bytes) -> State:
    """Read the reply to `take_command`; a value stands behind the first byte."""
    if reply is None:
        return State.MINE
    state = _STATES.get(reply[:1], State.CLAIMABLE)
    if state is State.ELSEWHERE and reply[1:] == token:
        return State.MINE if reply[:1] == _LEASE else State.MINE_FROM_WRITER
    return state


def claim_command(key: str, found: bytes, token: bytes) -> Command:
    """Make the command that leases an entry for reading the writer, if it still is what was found; its reply is 1 or 0.

    The lease lives as long as the tombstone that it replaces: if this reader dies, the next one must not read a reader.
    """
    return SWAP.call([key], [found, _WRITER_LEASE + token, WRITTEN_TTL_S * 1000])


def fill_command(
    key: str, token: bytes, payload: bytes | None, *, from_writer: bool, ttl_s: int = VALUE_TTL_S
) -> Command:
    """Make the command that puts a value (None: there is nothing) in the place of this reader's lease, if it stands."""
    lease = (_WRITER_LEASE if from_writer else _LEASE) + token
    if payload is None:
        return SWAP.call([key], [lease, _ABSENT, _jittered_ms(ABSENCE_TTL_S)])
    return SWAP.call([key], [lease, _VALUE + payload, _jittered_ms(ttl_s)])


def remember_command(key: str, payload: bytes, *, ttl_s: int = VALUE_TTL_S) -> Command:
    """Make the command that keeps a value that was just read from the writer, where nothing at all stands."""
    return command("SET", key, _VALUE + payload, "NX", "PX", _jittered_ms(ttl_s))


def mark_command(key: str) -> Command:
    """Make the command that goes before a write: whoever reads from now on caches nothing."""
    return command("SET", key, _WRITING, "EX", WRITING_TTL_S)


def bury_command(key: str) -> Command:
    """Make the command that goes after a write's commit: the value is gone, and the next one comes from the writer."""
    return command("SET", key, _WRITTEN, "EX", WRITTEN_TTL_S)


def _jittered_ms(ttl_s: int) -> int:
    return int(ttl_s * 1000 * random.uniform(0.8, 1.0))  # noqa: S311 - jitter
