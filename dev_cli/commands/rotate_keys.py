"""Rotates the keys that access tokens are signed with, while everybody stays logged in."""

import argparse
import time

from dev_cli.questions import confirm
from dev_cli.stage_names import STAGES


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the options."""
    parser.add_argument("--stage", choices=STAGES, required=True, help="which stage")
    kind = parser.add_mutually_exclusive_group()
    kind.add_argument(
        "--finish",
        action="store_true",
        help="forget the old key, half an hour after the rotation (the next rotation does it too)",
    )
    kind.add_argument(
        "--compromised",
        action="store_true",
        help="the keys were stolen: replace them all at once; everybody has to log in again",
    )
    parser.add_argument("--yes", action="store_true", help="don't ask before everybody is logged out")


def run(arguments: argparse.Namespace) -> int:
    """Rotate."""
    from dev_cli.aws.errors import told_as_failures
    from dev_cli.aws.target import find_target
    from dev_cli.signing_keys import rotation

    with told_as_failures():
        target = find_target(arguments.stage)
        if arguments.compromised:
            if not arguments.yes:
                confirm(f"Everybody on {arguments.stage} will have to log in again.", word=arguments.stage)
            rotation.replace_all(target, tell=print)
        elif arguments.finish:
            rotation.drop_spent_keys(target, now_s=time.time(), tell=print)
        else:
            rotation.rotate(target, now_s=time.time(), tell=print)
            print(f"In half an hour: ./dev rotate-keys --stage {arguments.stage} --finish")
    return 0
