"""Starts the local stage: a real deployment on this machine, with nothing to set up before."""

import argparse
import signal
from types import FrameType

from dev_cli.failure import Failure
from dev_cli.paths import stage_home
from dev_cli.progress import StateProgress
from dev_cli.setup.machine import set_up_machine
from dev_cli.stage import failure_of, find_stage, follow_start, stage_options, start_supervisor, stop_stage
from local_stage.supervisor.leftovers import end_leftovers
from local_stage.supervisor.state import FAILED, SERVING, StageState, read_state


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the options."""
    parser.add_argument("--detach", action="store_true", help="return once the stage serves; ./dev down stops it")
    parser.add_argument(
        "--kafka", default="tansu", metavar="tansu|apache|HOST:PORT", help="which Kafka (default tansu)"
    )
    parser.add_argument("--mysql", default="embedded", metavar="HOST:PORT", help="a MySQL server that runs already")
    parser.add_argument("--redis", default="embedded", metavar="HOST:PORT", help="a Redis cluster that runs already")
    parser.add_argument(
        "--http-port", type=int, default=0, metavar="PORT", help="where to serve (default: a free port)"
    )
    parser.add_argument(
        "--gateways", type=int, default=1, metavar="N", help="cells: WebSocket APIs side by side (default: 1)"
    )


def run(arguments: argparse.Namespace) -> int:
    """Install what is missing, start the stage, and stay with it unless told to detach."""
    running = find_stage()
    if running is not None and running.phase == SERVING:
        print("The stage is up already.")
        print_addresses(running)
        return 0
    if running is not None:
        raise Failure(
            f"a stage is {running.phase} already.", advice="./dev status tells how it is, ./dev down stops it."
        )
    set_up_machine(with_mysql=arguments.mysql == "embedded", with_java=arguments.kafka == "apache")
    options = stage_options(
        kafka=arguments.kafka,
        mysql=arguments.mysql,
        redis=arguments.redis,
        http_port=arguments.http_port,
        attached=not arguments.detach,
        gateways=arguments.gateways,
    )
    # A terminal that is closed, or a build that is cancelled, must not leave half a stage behind.
    for signal_number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(signal_number, _interrupt)
    try:
        supervisor = start_supervisor(options)
        with StateProgress() as progress:
            state = follow_start(supervisor, options, progress.show)
        print_addresses(state)
        if arguments.detach:
            return 0
        print("\nCtrl-C stops everything.")
        supervisor.wait()
    except KeyboardInterrupt:
        print("\nStopping …")
        stop_stage()
        return 0
    except Failure:
        # The logs stay, for the reader of this failure.
        end_leftovers(options.home)
        raise
    return _after_the_end()


def print_addresses(state: StageState) -> None:
    """Tell where the stage serves."""
    print(f"  Web page   {state.web_url}")
    print(f"  HTTP       {state.http_url}")
    print(f"  WebSocket  {state.websocket_url}")
    for name, address in state.services.items():
        print(f"  {name:<10} {address}")
    for note in state.notes:
        print(f"  Note: {note}")


def _after_the_end() -> int:
    """Tell why a stage that served has ended: ./dev down in another terminal, or a failure."""
    state = read_state(stage_home())
    if state is not None and state.phase == FAILED:
        raise failure_of(state)
    print("The stage was stopped.")
    return 0


def _interrupt(signal_number: int, frame: FrameType | None) -> None:
    del signal_number, frame
    raise KeyboardInterrupt
