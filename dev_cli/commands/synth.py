"""Synthesizes the CloudFormation templates of a stage; needs no account and no network."""

import argparse
import subprocess

from dev_cli.failure import Failure
from dev_cli.paths import ROOT
from dev_cli.setup.cdk import cdk_command, cdk_environment
from dev_cli.setup.machine import set_up_machine
from dev_cli.stage_names import STAGES


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the options."""
    parser.add_argument("--stage", choices=STAGES, required=True, help="which stage")
    parser.add_argument("--output", default="cdk.out", metavar="FOLDER", help="where to (default: cdk.out)")


def run(arguments: argparse.Namespace) -> int:
    """Synthesize; the templates and bundles are in the output folder then."""
    set_up_machine(with_mysql=False)
    command = [*cdk_command(), "synth", "--quiet", "--context", f"stage={arguments.stage}"]
    command += ["--output", arguments.output]
    if subprocess.run(command, cwd=ROOT, env=cdk_environment(), check=False).returncode:
        raise Failure(f"the stage {arguments.stage} could not be synthesized; the lines above say why.")
    print(f"Synthesized {arguments.stage} into {arguments.output}.")
    return 0
