"""The settings of one local AWS."""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

HOST = "127.0.0.1"


@dataclass(frozen=True, kw_only=True)
class Options:
    """What the command line chose; times in seconds."""

    port: int
    state_dir: Path
    region: str
    account: str
    kafka_bootstrap: str
    websocket_idle_s: float
    websocket_lifetime_s: float
    processes_a_function: int
    freeze_idle_functions: bool
    log_level: str

    @property
    def endpoint_url(self) -> str:
        """The base URL of every AWS service."""
        return f"http://{HOST}:{self.port}"


def parse(arguments: Sequence[str] | None = None) -> Options:
    """Read the command line; print usage and exit with 2 if it is wrong."""
    parser = argparse.ArgumentParser(prog="python -m local_stage.aws", description="A local AWS on 127.0.0.1.")
    parser.add_argument("--port", type=int, default=4566, help="port of every service (default 4566)")
    parser.add_argument("--state-dir", type=Path, required=True, help="directory for code, objects and scratch files")
    parser.add_argument("--region", default="us-east-1")
    parser.add_argument("--account", default="000000000000", help="account id of callers that sign with no other")
    parser.add_argument("--kafka-bootstrap", default="", metavar="HOST:PORT", help="what MSK names as its brokers")
    parser.add_argument(
        "--websocket-idle-s", type=float, default=600.0, help="cut silent WebSocket connections (AWS: 600)"
    )
    parser.add_argument(
        "--websocket-lifetime-s", type=float, default=7200.0, help="cut every WebSocket connection (AWS: 7200)"
    )
    parser.add_argument(
        "--processes-a-function", type=int, default=8, help="most processes of one function; more callers wait"
    )
    parser.add_argument(
        "--freeze-idle-functions",
        action=argparse.BooleanOptionalAction,
        default=True,
        help="stop function processes between invocations, as AWS does: their threads and timers stand still",
    )
    parser.add_argument("--log-level", default="WARNING", choices=["DEBUG", "INFO", "WARNING", "ERROR"])
    given = parser.parse_args(arguments)
    return Options(
        port=given.port,
        state_dir=given.state_dir.resolve(),
        region=given.region,
        account=given.account,
        kafka_bootstrap=given.kafka_bootstrap,
        websocket_idle_s=given.websocket_idle_s,
        websocket_lifetime_s=given.websocket_lifetime_s,
        processes_a_function=given.processes_a_function,
        freeze_idle_functions=given.freeze_idle_functions,
        log_level=given.log_level,
    )
