"""Deploys a stage, after looking whether it can succeed, and tries it: dev and prod to your AWS account, or local."""

import argparse
from typing import TYPE_CHECKING

from dev_cli.questions import confirm
from dev_cli.setup.machine import set_up_machine
from dev_cli.stage_names import STAGES

if TYPE_CHECKING:
    from cdk_app.settings import Stage
    from dev_cli.aws.target import Target


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the options."""
    parser.add_argument("--stage", choices=STAGES, required=True, help="which stage")
    parser.add_argument("--yes", action="store_true", help="deploy without asking")
    parser.add_argument("--check", action="store_true", help="only look whether it can succeed; changes nothing")
    parser.add_argument("--bootstrap", action="store_true", help="run `cdk bootstrap` first: once in each account")
    parser.add_argument("--no-smoke", action="store_true", help="don't try the stage afterwards")


def run(arguments: argparse.Namespace) -> int:
    """Look, show what would change and what it costs, ask, deploy, try."""
    from dev_cli.aws.errors import told_as_failures
    from dev_cli.aws.target import find_target
    from dev_cli.commands.smoke import smoke
    from dev_cli.deployment import preflight

    set_up_machine(with_mysql=False)
    with told_as_failures():
        target = find_target(arguments.stage)
        if arguments.bootstrap:
            _bootstrap(target)
        preflight.check(target, tell=print)
        if arguments.check:
            return 0
        outputs = _deploy_local() if target.stage.on_emulator else _deploy_to_aws(target, yes=arguments.yes)
    print(f"\nHTTP       {outputs['HttpUrl']}\nWebSocket  {outputs['WebSocketUrl']}\n")
    return 0 if arguments.no_smoke else smoke(outputs["HttpUrl"])


def _deploy_local() -> dict[str, str]:
    from dev_cli.deployment.local_deployment import deploy_local

    return deploy_local()


def _deploy_to_aws(target: "Target", *, yes: bool) -> dict[str, str]:
    from dev_cli.deployment.cloud_deployment import CloudDeployment
    from dev_cli.deployment.service_roles import make_service_roles

    deployment = CloudDeployment(target=target)
    deployment.synthesize()
    deployment.show_difference()
    _tell_cost(target.stage)
    if not yes:
        account = target.client("sts").get_caller_identity()["Account"]
        confirm(f"Deploy to account {account} in {target.stage.region}?", word=target.stage.name)
    for service in make_service_roles(target):
        print(f"Made the account's role for {service}")
    return deployment.deploy()


def _bootstrap(target: "Target") -> None:
    from dev_cli.deployment.cloud_deployment import CloudDeployment

    if not target.stage.on_emulator:
        CloudDeployment(target=target).bootstrap(target.client("sts").get_caller_identity()["Account"])


def _tell_cost(stage: "Stage") -> None:
    from dev_cli.cost.estimate import estimate
    from dev_cli.cost.workload import Workload

    found = estimate(stage, Workload())
    awake = f" (${found.floor_awake_usd:,.0f} if its database never pauses)"
    print(
        f"\nThe whole stage costs ${found.floor_usd:,.0f} a month by being there"
        f"{awake if found.floor_awake_usd > found.floor_usd else ''}, and about "
        f"${found.per_million['messages between two']:.2f} a million messages: ./dev cost --stage {stage.name}"
    )
