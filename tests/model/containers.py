"""The real functions with their real wiring, in this process: every container has its own connections and can die."""

import importlib
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import partial
from typing import Any

import grpc
import msgspec
import pytest

from gochat_aws.connections_api import ConnectionsApi
from gochat_aws.invoke_outcome import InvokeRpcError
from gochat_core.clock import Clock
from gochat_core.settings import read_settings
from gochat_repo.cache import Cache, cache_from
from gochat_repo.mysql import Database
from gochat_repo.mysql_pool import MySqlSettings
from task.push.providers.provider import Answer, Push
from tests.fakes.http_api import LambdaContext
from tests.model.partitioned_log import PartitionedLog
from tests.model.strikes import Died, Strikes
from tests.model.watched import (
    WatchedCache,
    WatchedDatabase,
    WatchedInvoker,
    WatchedPhones,
    WatchedPosts,
    WatchedProducer,
)

FUNCTIONS: Mapping[str, tuple[str, str, str]] = {
    "authorize": ("gateway.authorize.handler", "gateway.authorize.wiring", "wiring"),
    "websocket": ("gateway.websocket.handler", "gateway.websocket.wiring", "wiring"),
    "deliver": ("gateway.deliver.handler", "gateway.deliver.wiring", "wiring"),
    "http": ("gateway.http.handler", "gateway.http.wiring", "app"),
    "rpc": ("logic.rpc.handler", "logic.rpc.wiring", "server"),
    "upstream": ("logic.upstream.handler", "logic.upstream.wiring", "wire"),
    "worker": ("task.worker.handler", "task.worker.wiring", "wire"),
    "redrive": ("logic.sweep.handler", "logic.sweep.wiring", "wiring"),
    "push": ("task.push.handler", "task.push.wiring", "wire"),
    "repo": ("repo.rpc.handler", "repo.rpc.wiring", "server"),
}
"""Each function's handler, its wiring, and the name under which that builds what a container keeps."""

Handler = Callable[[Any, Any], Any]


@dataclass
class Container:
    """One execution environment."""

    function: str
    strikes: Strikes = field(default_factory=Strikes)
    parts: Any = None
    stores: list[Any] = field(default_factory=list)

    def close(self) -> None:
        """Close what it holds open."""
        for store in self.stores:
            store.close()


class Fleet:
    """All containers of a deployment: of each function `size`, used in turn as a test says."""

    def __init__(self, *, clock: Clock, log: PartitionedLog, posts: ConnectionsApi, secret: str, size: int = 2) -> None:
        self.clock, self.log, self.posts, self.secret = clock, log, posts, secret
        self.events: list[bytes] = []
        self.pushed: list[Push] = []
        self.push_answers: list[Answer] = []
        self.away: set[Any] = set()
        self.size = size
        self._containers: dict[tuple[str, int], Container] = {}
        self.next_rpc: tuple[int, Mapping[int, Any]] = (0, {})
        self.rpc_deaths = 0
        """Which container of im-logic takes the next call, and what happens to it there."""
        self.next_repo: dict[int, Mapping[int, Any]] = {}
        """What happens in RepoService at which of the coming calls, counted from 0."""
        self._threads = threading.local()

    @contextmanager
    def wired(self) -> Iterator[None]:
        """Have the wiring modules build on this fleet's clock, log, posts and events for the block."""
        with pytest.MonkeyPatch.context() as patch:
            for handler_name, wiring_name, builder in FUNCTIONS.values():
                handler, wiring = importlib.import_module(handler_name), importlib.import_module(wiring_name)
                for name, replacement in self._ports().items():
                    if hasattr(wiring, name):
                        patch.setattr(wiring, name, replacement)
                for module in (handler, wiring):
                    if hasattr(module, builder):
                        patch.setattr(module, builder, self._parts_of(getattr(wiring, builder)))
            try:
                yield
            finally:
                for container in self._containers.values():
                    container.close()

    def invoke(self, function: str, event: Any, *, which: int = 0, orders: Mapping[int, Any] | None = None) -> Any:
        """Invoke one container of a function; raises Died when it died, and then starts another in its place."""
        key = (function, which % self.size)
        container = self._containers.setdefault(key, Container(function, Strikes(away=self.away)))
        container.strikes.begin()
        container.strikes.orders = dict(orders or {})
        self._running.append(container)
        try:
            return _handler(function)(event, LambdaContext())
        except Died:
            container.close()
            del self._containers[key]
            raise
        finally:
            self._running.pop()

    def pieces(self, function: str, *, which: int = 0) -> int:
        """Return how many pieces of input and output the last invocation of a container took, in and out counted."""
        return self._containers[function, which % self.size].strikes.count

    def _parts_of(self, build: Any) -> Callable[[], Any]:
        def parts() -> Any:
            container = self._running[-1]
            if container.parts is None:
                container.parts = build.__wrapped__()
            return container.parts

        return parts

    def _ports(self) -> dict[str, Callable[..., Any]]:
        return {
            "SystemClock": lambda: self.clock,
            "producer_from": lambda *_, **__: WatchedProducer(self.log, self._running[-1].strikes),
            "HttpConnectionsApi": lambda *_, **__: WatchedPosts(self.posts, self._running[-1].strikes),
            "FunctionInvoker": lambda **_: WatchedInvoker(self.events, self._running[-1].strikes),
            "lambda_transport": lambda _: self._transport(self._running[-1]),
            "LogProvider": lambda *_, **__: WatchedPhones(self._running[-1].strikes, self.pushed, self.push_answers),
            "CachedSecret": lambda _: _Secret(self.secret),
            "database_from": self._database,
            "cache_from": self._cache,
        }

    def _database(self, environ: Mapping[str, str]) -> Database:
        container = self._running[-1]
        made = WatchedDatabase(read_settings(MySqlSettings, environ), container.strikes)
        container.stores.append(made)
        return made

    def _cache(self, environ: Mapping[str, str]) -> Cache:
        container = self._running[-1]
        made = cache_from(environ)
        made.__class__ = WatchedCache
        assert isinstance(made, WatchedCache)
        made.strikes = container.strikes
        container.stores.append(made)
        return made

    def _transport(self, caller: Container) -> Callable[[bytes, float], bytes]:
        return self._call_rpc if caller.function == "http" else partial(self._call_repo, caller)

    def _call_repo(self, caller: Container, payload: bytes, timeout_s: float) -> bytes:
        """Invoke RepoService as Lambda does; the caller may die before or after."""
        caller.strikes.pass_by("events")
        try:
            reply = self.invoke("repo", msgspec.json.decode(payload), orders=self.next_repo.pop(0, {}))
        except Died as death:
            raise InvokeRpcError(grpc.StatusCode.UNAVAILABLE, "the function died") from death
        finally:
            self.next_repo = {at - 1: orders for at, orders in self.next_repo.items()}
        caller.strikes.pass_by("events")
        return msgspec.json.encode(reply)

    def _call_rpc(self, payload: bytes, timeout_s: float) -> bytes:
        """Invoke im-logic as Lambda does: a container that dies is an error of the call."""
        which, orders = self.next_rpc
        self.next_rpc = 0, {}
        try:
            reply = self.invoke("rpc", msgspec.json.decode(payload), which=which, orders=orders)
        except Died as death:
            self.rpc_deaths += 1
            raise InvokeRpcError(grpc.StatusCode.UNAVAILABLE, "the function died") from death
        return msgspec.json.encode(reply)

    @property
    def _running(self) -> list[Container]:
        """The containers at work in this thread, the innermost last."""
        held: list[Container] = self._threads.__dict__.setdefault("running", [])
        return held


@dataclass
class _Secret:
    text: str

    def read(self) -> str:
        return self.text


def _handler(function: str) -> Handler:
    handler: Handler = importlib.import_module(FUNCTIONS[function][0]).handle
    return handler
