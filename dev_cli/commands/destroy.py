"""Takes a deployed stage down, after saying what stays and what that costs."""

import argparse

from dev_cli.questions import confirm
from dev_cli.stage_names import STAGES


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the options."""
    parser.add_argument("--stage", choices=STAGES, required=True, help="which stage")
    parser.add_argument("--yes", action="store_true", help="destroy without asking")


def run(arguments: argparse.Namespace) -> int:
    """Say what goes and what stays, ask for the stage's name, delete in order."""
    from dev_cli.aws.errors import told_as_failures
    from dev_cli.aws.target import find_target
    from dev_cli.deployment.removal import plan_removal

    with told_as_failures():
        target = find_target(arguments.stage)
        removal = plan_removal(target)
        if not removal.stacks:
            print(f"Nothing of {arguments.stage} stands in {target.stage.region} that this command deletes.")
        if removal.stacks:
            print("Will be deleted, in this order:")
            print("\n".join(f"  {stack.name}" for stack in removal.stacks))
            if files := removal.files():
                print(f"  with {'1,000 files or more' if files >= 1_000 else f'{files} files'} that users have sent")
        if removal.stacks or removal.kept_stacks:
            print("Will stay:")
            print("\n".join(f"  {remain}" for remain in removal.remains()))
        if cost := removal.cost_of_remains():
            print(f"What stays costs ${cost:,.2f} a month: docs/operations.md, “After a destroyed stage”, removes it.")
        if not removal.stacks:
            return 0
        if not arguments.yes:
            confirm(f"Destroy {arguments.stage}?", word=arguments.stage)
        removal.carry_out(tell=print)
    print(f"The stage {arguments.stage} is gone.")
    return 0
