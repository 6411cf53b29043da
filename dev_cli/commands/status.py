"""Tells whether the local stage serves, where, and how each part is (exit code 3: not running)."""

import argparse
import json
from urllib.parse import urlsplit

from dev_cli.paths import stage_home
from dev_cli.stage import find_stage
from local_stage.supervisor import health
from local_stage.supervisor.starting import mappings_status
from local_stage.supervisor.state import SERVING, StageState

NOT_RUNNING = 3


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the options."""
    parser.add_argument("--json", action="store_true", help="for programs")


def run(arguments: argparse.Namespace) -> int:
    """Print the state; 0 if the stage serves, 1 if something is wrong with it, 3 if it does not run."""
    state = find_stage()
    report = describe(state)
    if arguments.json:
        print(json.dumps(report, indent=2))
    else:
        _print(report)
    if state is None:
        return NOT_RUNNING
    return 0 if report["serving"] else 1


def describe(state: StageState | None) -> dict[str, object]:
    """Give what `status --json` prints."""
    parts = part_health(state) if state is not None else {}
    return {
        "serving": state is not None and state.phase == SERVING and all(each == health.OK for each in parts.values()),
        "phase": state.phase if state is not None else "down",
        "http_url": state.http_url if state is not None else None,
        "websocket_url": state.websocket_url if state is not None else None,
        "gateways": dict(state.gateways) if state is not None else {},
        "web_url": state.web_url if state is not None else None,
        "aws_url": state.aws_url if state is not None else None,
        "services": dict(state.services) if state is not None else {},
        "health": parts,
        "pids": {"supervisor": state.supervisor.pid, **state.pids} if state is not None else {},
        "notes": list(state.notes) if state is not None else [],
    }


def part_health(state: StageState) -> dict[str, str]:
    """Ask each part how it is: "ok", or what is wrong."""
    parts = {name: _listening(address) for name, address in state.services.items()}
    if state.aws_url:
        parts["aws"] = _listening(state.aws_url)
        parts["mappings"] = health.ask_mappings(mappings_status(stage_home()))
    if state.web_url:
        parts["web"] = health.ask_web(state.web_url)
    if state.http_url and state.websocket_url:
        parts["http"] = health.ask_http(state.http_url)
        for cell_id, url in state.gateways.items():
            name = "websocket" if url == state.websocket_url else f"websocket-{cell_id}"
            parts[name] = health.ask_websocket(url)
    return parts


def _listening(address: str) -> str:
    parts = urlsplit(address if "//" in address else f"//{address}")
    return health.ask_port(parts.hostname or "", parts.port or 0)


def _print(report: dict[str, object]) -> None:
    print(f"The stage is {report['phase']}.")
    for name in ("http_url", "websocket_url", "web_url", "aws_url"):
        if report[name]:
            print(f"  {name:<14} {report[name]}")
    for group in ("services", "health", "pids"):
        values = report[group]
        assert isinstance(values, dict)
        if values:
            print(f"  {group}")
            for name, value in values.items():
                print(f"    {name:<12} {value}")
