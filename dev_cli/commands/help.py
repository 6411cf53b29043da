"""Lists the commands, or tells the options of one."""

import argparse

from dev_cli.failure import Failure
from dev_cli.registry import COMMANDS, build_parser, load_command, summary


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the options."""
    parser.add_argument("command", nargs="?", help="the command to tell more about")


def run(arguments: argparse.Namespace) -> int:
    """Print the list, or one command's usage."""
    if arguments.command is not None:
        if arguments.command not in COMMANDS:
            raise Failure(f"there is no command {arguments.command!r}", advice="./dev help lists them.")
        build_parser(arguments.command, load_command(arguments.command)).print_help()
        return 0
    print("GoChat: a serverless instant-messaging backend.\n\nUsage: ./dev COMMAND [options]\n")
    for name in COMMANDS:
        print(f"  {name:<12} {summary(load_command(name))}")
    print("\n./dev help COMMAND tells its options. A first try: ./dev up --detach, then ./dev chat --demo")
    return 0
