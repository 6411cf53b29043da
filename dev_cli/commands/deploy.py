"""Deploys a stage: dev and prod to the AWS account of your credentials, local to the running local stage."""

import argparse
import subprocess

from dev_cli.failure import Failure
from dev_cli.paths import LOGS, ROOT, stage_home
from dev_cli.progress import StepProgress
from dev_cli.setup.cdk import cdk_command, cdk_environment
from dev_cli.setup.machine import set_up_machine
from dev_cli.stage import serving_stage, stage_options
from dev_cli.stage_names import STAGES
from local_stage.supervisor import cloud
from local_stage.supervisor.steps import Step, StepContext, StepFailed, run_steps


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the options."""
    parser.add_argument("--stage", choices=STAGES, required=True, help="which stage")
    parser.add_argument("--yes", action="store_true", help="don't ask before changes of permissions")


def run(arguments: argparse.Namespace) -> int:
    """Deploy every stack of the stage."""
    set_up_machine(with_mysql=False)
    if arguments.stage == "local":
        _deploy_local()
        return 0
    _check_credentials()
    command = [*cdk_command(), "deploy", "--all", "--context", f"stage={arguments.stage}"]
    command += ["--require-approval", "never" if arguments.yes else "broadening"]
    if arguments.stage == "prod":
        # A warning of the synthesis (bundles without byte code, say) is a flaw that prod should not have.
        command += ["--strict"]
    if subprocess.run(command, cwd=ROOT, env=cdk_environment(), check=False).returncode:
        raise Failure(
            f"the stage {arguments.stage} could not be deployed; the lines above say why.",
            advice="In a new account or region, run `cdk bootstrap` once (docs/architecture.md, Deployment).",
        )
    return 0


def _deploy_local() -> None:
    """Bring the running local stage up to date with the sources."""
    state = serving_stage()
    options = stage_options(
        kafka="", mysql="", redis="", http_port=0, attached=False, gateways=len(state.gateways) or 1
    )

    def deploy(context: StepContext) -> None:
        synthesis = cloud.synthesize(context, options)
        assert state.aws_url is not None
        cloud.deploy(
            context,
            options,
            synthesis=synthesis,
            aws_url=state.aws_url,
            parameters=cloud.parameters_for(state.services, state.aws_url),
        )

    with StepProgress() as progress:
        try:
            step = Step(name="deploy-local", title="Deploying to the local stage", run=deploy)
            run_steps([step], logs=LOGS, listener=progress)
        except StepFailed as failed:
            raise Failure(str(failed), log=failed.log, advice=f"Is the stage well? {stage_home()}") from failed


def _check_credentials() -> None:
    """Say before a long synthesis that there is nobody to deploy as."""
    import boto3
    from botocore.exceptions import BotoCoreError, ClientError

    try:
        boto3.client("sts", region_name="us-east-1").get_caller_identity()
    except (BotoCoreError, ClientError) as error:
        raise Failure(
            f"there are no AWS credentials to deploy with ({error}).",
            advice="Log in (aws sso login, aws configure) or set AWS_PROFILE, then try again.",
        ) from error
