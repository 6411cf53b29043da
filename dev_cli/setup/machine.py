"""Installs what is missing on this machine for a local stage or for the tests."""

from dev_cli.failure import Failure
from dev_cli.paths import LOGS, STAGE_VENV
from dev_cli.progress import StepProgress
from dev_cli.setup import cdk, mariadb, node
from dev_cli.setup.python_packages import is_synced, sync_group
from local_stage.supervisor.steps import Step, StepFailed, run_steps

NETWORK = "Is the network up? The command may simply be given again: it goes on where it failed."


def set_up_machine(*, with_mysql: bool = True) -> None:
    """Install what is missing, in parallel; does nothing, and says nothing, where all is there."""
    steps = missing_steps(with_mysql=with_mysql)
    if not steps:
        return
    if any(step.name == "mariadb" for step in steps):
        mariadb.ask_for_password()
    with StepProgress() as progress:
        try:
            run_steps(steps, logs=LOGS, listener=progress)
        except StepFailed as failed:
            if isinstance(failed.cause, Failure):
                raise failed.cause from failed
            raise Failure(str(failed), advice=failed.step.advice, log=failed.log) from failed


def missing_steps(*, with_mysql: bool) -> list[Step]:
    """List the steps that this machine still needs."""
    steps: list[Step] = []
    if with_mysql and not mariadb.is_installed():
        steps.append(
            Step(name="mariadb", title="Installing MariaDB", run=mariadb.install, advice=mariadb.BY_HAND),
        )
    if not is_synced(STAGE_VENV):
        steps.append(
            Step(
                name="stage-venv",
                title="Installing the local AWS",
                run=lambda context: sync_group(context, "stage", STAGE_VENV),
                advice=NETWORK,
            )
        )
    if node.installed_node() is None:
        steps.append(Step(name="node", title="Installing Node", run=node.install_node, advice=NETWORK))
    if not cdk.is_installed():
        needs_node = tuple(step.name for step in steps if step.name == "node")
        title = "Installing the CDK CLI"
        steps.append(Step(name="cdk-cli", title=title, run=cdk.install, after=needs_node, advice=NETWORK))
    return steps
