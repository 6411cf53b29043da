"""Works out what a stage costs a month, from its settings and a use that you describe; without --stage it compares."""

import argparse
from typing import TYPE_CHECKING

from dev_cli.stage_names import STAGES_ON_AWS

if TYPE_CHECKING:
    from dev_cli.cost.workload import Workload

COMPARED = ("dev", "prod")


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the options; the defaults make a small public chat."""
    parser.add_argument("--stage", choices=STAGES_ON_AWS, help="which stage (default: dev and prod, beside each other)")
    parser.add_argument("--users", type=int, default=0, help="people who use it in a month (default 0: the floor)")
    parser.add_argument("--messages", type=float, default=0.0, help="messages sent in a month (default 0)")
    parser.add_argument("--group-share", type=_share, default=0.2, help="share of messages to groups (default 0.2)")
    parser.add_argument("--group-size", type=int, default=20, help="members of such a group (default 20)")
    parser.add_argument("--devices", type=float, default=1.2, help="devices of a user (default 1.2)")
    parser.add_argument("--online", type=_share, default=0.7, help="share of recipients connected (default 0.7)")
    parser.add_argument("--hours", type=float, default=2.0, help="hours a day that a device is connected (default 2)")
    parser.add_argument(
        "--ping-minutes", type=_minutes, default=4.0, help="minutes between heartbeats of a connection (default 4)"
    )
    parser.add_argument("--reads", type=float, default=0.3, help="receipts per message and recipient (default 0.3)")
    parser.add_argument("--media-share", type=_share, default=0.03, help="share of messages with a file (default 0.03)")
    parser.add_argument("--media-kib", type=float, default=300.0, help="size of such a file (default 300)")
    parser.add_argument("--rest-calls", type=float, default=15.0, help="REST calls of a user a day (default 15)")
    parser.add_argument("--batch", type=float, default=10.0, help="records in a batch: 1 when quiet (default 10)")
    parser.add_argument("--json", action="store_true", help="print every line with its price and source as JSON")


def run(arguments: argparse.Namespace) -> int:
    """Estimate and print."""
    from cdk_app.stages import find_stage
    from dev_cli.cost import report
    from dev_cli.cost.estimate import estimate

    work = workload_of(arguments)
    stages = [arguments.stage] if arguments.stage else COMPARED
    estimates = [estimate(find_stage(name), work) for name in stages]
    if arguments.json:
        print(report.to_json(estimates))
    elif arguments.stage:
        print(report.render(estimates[0]))
    else:
        print(report.render_comparison(estimates))
    return 0


def workload_of(arguments: argparse.Namespace) -> "Workload":
    """Read the described use."""
    from dev_cli.cost.workload import Workload

    return Workload(
        users=arguments.users,
        messages=arguments.messages,
        group_share=arguments.group_share,
        group_size=arguments.group_size,
        devices=arguments.devices,
        online=arguments.online,
        hours=arguments.hours,
        ping_minutes=arguments.ping_minutes,
        reads=arguments.reads,
        media_share=arguments.media_share,
        media_kib=arguments.media_kib,
        rest_calls=arguments.rest_calls,
        batch=max(arguments.batch, 1.0),
    )


def _share(text: str) -> float:
    value = float(text)
    if not 0 <= value <= 1:
        raise argparse.ArgumentTypeError(f"{text} is no share: between 0 and 1")
    return value


def _minutes(text: str) -> float:
    value = float(text)
    if not 0 < value < 10:
        raise argparse.ArgumentTypeError(f"{text}: API Gateway closes what is silent for 10 minutes")
    return value
