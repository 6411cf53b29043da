"""Redis for the repo layer: many commands for many keys in one pipeline per node, in one round trip."""

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from hashlib import sha1
from typing import Any, Protocol

from redis.crc import key_slot
from redis.exceptions import (
    AskError,
    ClusterDownError,
    MovedError,
    NoScriptError,
    OutOfMemoryError,
    ReadOnlyError,
    RedisError,
    ResponseError,
    TryAgainError,
)
from redis.exceptions import ConnectionError as RedisConnectionError
from redis.exceptions import TimeoutError as RedisTimeoutError

from gochat_core.settings import read_settings
from gochat_repo.cache_nodes import (
    Argument,
    CacheUnavailable,
    Connection,
    Node,
    Nodes,
    RedisSettings,
    Topology,
    redis_password,
)

__all__ = [
    "Cache",
    "CacheCommandFailed",
    "CacheUnavailable",
    "Command",
    "RedisSettings",
    "Reply",
    "Rider",
    "Script",
    "command",
]

Reply = Any
"""bytes, int, None, or a list of these."""

MAX_WAVES = 4
"""Round trips that one `run` may take: the first, then after a stale connection, a moved slot, an unknown script."""


class CacheCommandFailed(Exception):
    """Redis refused a command: a fault of ours (wrong type, bad script)."""


@dataclass(frozen=True, slots=True)
class Command:
    """One command, with the key that decides which node runs it."""

    args: tuple[Argument, ...]
    key: bytes
    script: "Script | None" = None


def command(*args: Argument, key: str | bytes | None = None) -> Command:
    """Make a command; `key` is its first argument unless told otherwise (`XREAD`)."""
    return Command(args, _bytes(args[1] if key is None else key))


@dataclass(frozen=True)
class Script:
    """A Lua script that runs by its digest; a node that doesn't know it (restarted, new) is sent the text once.

    Keys of one call must share a slot (a hash tag). A script may run twice when a reply was lost.
    """

    text: str
    digest: str = field(init=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "digest", sha1(self.text.encode(), usedforsecurity=False).hexdigest())

    def call(self, keys: Sequence[str], args: Iterable[Argument] = ()) -> Command:
        """Make the command that runs the script."""
        return Command(("EVALSHA", self.digest, len(keys), *keys, *args), keys[0].encode(), self)


class Rider(Protocol):
    """Has commands of its own in every pipeline that is sent anyway; what becomes of them never troubles the others."""

    def board(self) -> tuple[Sequence[Command], Callable[[Sequence[Reply]], None]]:
        """Return the commands, and what takes their replies: None for each that didn't come."""
        ...


@dataclass(slots=True)
class _Wave:
    """What is left to do in one `run`: the indexes to send, where ASK sent some, which carry a script's text."""

    pending: list[int]
    asking: dict[int, Node] = field(default_factory=dict)
    moved: dict[int, Node] = field(default_factory=dict)
    with_text: set[int] = field(default_factory=set)
    lost: set[Node] = field(default_factory=set)
    out_of_date: bool = False
    refused: ResponseError | None = None


class Cache:
    """A cluster-mode client that groups commands by node itself: a pipeline of redis-py costs four times as much.

    Safe for use by several threads. Nothing is connected before the first `run`.
    """

    def __init__(self, settings: RedisSettings, *, password: Callable[[], str] | None = None) -> None:
        """Connect on first use; `password` makes the password (or token) of each new connection."""
        self.round_trips = 0
        self._nodes = Nodes(settings, password)
        self._topology = Topology(Node(settings.redis_host, settings.redis_port), self._nodes)
        self._riders: list[Rider] = []

    def carry(self, rider: Rider) -> None:
        """Let a rider's commands ride in every `run` from now on."""
        self._riders.append(rider)

    def run(self, commands: Sequence[Command]) -> list[Reply]:
        """Run commands, each on the node of its key, and return their replies in order.

        One pipeline a node, all sent before any reply is read: one round trip. Not atomic; commands of one node run in
        order. A command may run twice when its reply was lost, so it must bear that. Raises `CacheUnavailable` when a
        node can't be reached in time (some commands may have run), `CacheCommandFailed` for one that Redis refused.
        """
        if not commands:
            return []
        boarded = [rider.board() for rider in self._riders]
        # In front: what an invalidation that rides takes away, the commands behind it must not find.
        whole = [*(one for riding, _ in boarded for one in riding), *commands]
        riders = len(whole) - len(commands)
        replies: list[Reply] = [None] * len(whole)
        try:
            self._run(whole, replies, riders)
        finally:
            start = 0
            for riding, hear in boarded:
                hear(replies[start : start + len(riding)])
                start += len(riding)
        return replies[riders:]

    def _run(self, commands: Sequence[Command], replies: list[Reply], riders: int) -> None:
        """Fill in the replies; those of the first `riders` may stay out when a node is away."""
        learnt = not self._topology.known
        if learnt:
            self._learn()
        wave = _Wave(pending=list(range(len(commands))))
        for _ in range(MAX_WAVES):
            wave = self._send(commands, replies, wave)
            if wave.refused is not None:
                raise CacheCommandFailed(str(wave.refused)) from wave.refused
            if not wave.pending or (wave.lost and wave.pending[-1] < riders):
                return
            if wave.lost or wave.moved or wave.out_of_date:
                if wave.lost and learnt:
                    raise CacheUnavailable
                self._learn(avoid=wave.lost)
                learnt = True
                for index, node in wave.moved.items():
                    self._topology.move(key_slot(commands[index].key), node)
        if wave.pending[-1] >= riders:
            raise CacheUnavailable

    def close(self) -> None:
        """Close the idle connections."""
        self._nodes.close()

    def _learn(self, avoid: Collection[Node] = ()) -> None:
        self.round_trips += 1
        self._topology.learn(avoid)

    def _send(self, commands: Sequence[Command], replies: list[Reply], wave: _Wave) -> _Wave:
        """Send what is pending to all nodes, then read; return what must be sent again."""
        self.round_trips += 1
        left = _Wave(pending=[], with_text=wave.with_text)
        sent: list[tuple[Node, Connection, bool, list[int]]] = []
        for node, indexes in self._by_node(commands, wave).items():
            try:
                connection, is_new = self._nodes.take(node)
            except CacheUnavailable:
                left.lost.add(node)
                left.pending += indexes
                continue
            try:
                connection.send(_wire(commands, indexes, wave))
            except RedisError:
                connection.drop()
                self._lose(node, is_new, indexes, left)
                continue
            sent.append((node, connection, is_new, indexes))
        for node, connection, is_new, indexes in sent:
            try:
                self._read(connection, node, indexes, replies, wave, left)
            except RedisError as fault:
                connection.drop()
                # Slow or gone: asking once more would only wait once more.
                self._lose(node, is_new or isinstance(fault, RedisTimeoutError), indexes, left)
            else:
                self._nodes.give_back(node, connection)
        left.pending.sort()
        return left

    def _by_node(self, commands: Sequence[Command], wave: _Wave) -> dict[Node, list[int]]:
        groups: dict[Node, list[int]] = {}
        for index in wave.pending:
            node = wave.asking.get(index) or self._topology.owner(key_slot(commands[index].key))
            groups.setdefault(node, []).append(index)
        return groups

    def _lose(self, node: Node, is_new: bool, indexes: list[int], left: _Wave) -> None:
        """Put a node's commands back; an old connection may just have died while the container was frozen."""
        left.pending += [index for index in indexes if index not in left.pending]
        if is_new:
            self._nodes.break_circuit(node)
            left.lost.add(node)
        else:
            self._nodes.drop_idle(node)

    @staticmethod
    def _read(
        connection: Connection, node: Node, indexes: list[int], replies: list[Reply], wave: _Wave, left: _Wave
    ) -> None:
        for index in indexes:
            if index in wave.asking:
                connection.read()
            try:
                replies[index] = connection.read()
            except MovedError as reply:
                left.pending.append(index)
                left.moved[index] = Node(reply.host or node.host, reply.port)
            except AskError as reply:
                left.pending.append(index)
                left.asking[index] = Node(reply.host or node.host, reply.port)
            except NoScriptError:
                left.pending.append(index)
                left.with_text.add(index)
            except (ReadOnlyError, TryAgainError):
                left.pending.append(index)
                left.out_of_date = True
            except (ClusterDownError, OutOfMemoryError) as reply:
                # The connection is in order, the cluster is not: nothing of this node can be had now.
                raise RedisConnectionError from reply
            except ResponseError as reply:
                left.refused = reply


def _wire(commands: Sequence[Command], indexes: list[int], wave: _Wave) -> list[tuple[Argument, ...]]:
    wire: list[tuple[Argument, ...]] = []
    for index in indexes:
        if index in wave.asking:
            wire.append(("ASKING",))
        one = commands[index]
        if index in wave.with_text and one.script is not None:
            wire.append(("EVAL", one.script.text, *one.args[2:]))
        else:
            wire.append(one.args)
    return wire


def _bytes(key: Argument) -> bytes:
    return key if isinstance(key, bytes) else str(key).encode()


def cache_from(environ: Mapping[str, str]) -> Cache:
    """Build the cache client of one container from its environment; nothing is connected yet."""
    settings = read_settings(RedisSettings, environ)
    return Cache(settings, password=redis_password(settings, environ))
