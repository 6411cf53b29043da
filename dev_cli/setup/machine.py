"""Installs what is missing on this machine for a local stage or for the tests."""

from functools import partial

from dev_cli.failure import Failure
from dev_cli.paths import LOGS, STAGE_VENV
from dev_cli.progress import StepProgress
from dev_cli.setup import cdk, chromium, java, mariadb, node, system_packages
from dev_cli.setup.python_packages import is_synced, sync_group
from dev_cli.setup.system_packages import SystemPackages
from local_stage.supervisor.steps import Step, StepFailed, run_steps

NETWORK = "Is the network up? The command may simply be given again: it goes on where it failed."


def set_up_machine(*, with_mysql: bool = True, with_java: bool = False, with_browser: bool = False) -> None:
    """Install what is missing, in parallel; does nothing, and says nothing, where all is there."""
    packages = _missing_packages(with_mysql=with_mysql, with_java=with_java, with_browser=with_browser)
    steps = [*_package_steps(packages), *missing_steps()]
    if not steps:
        return
    if packages:
        system_packages.ask_for_password(" and ".join(one.title for one in packages))
    with StepProgress() as progress:
        try:
            run_steps(steps, logs=LOGS, listener=progress)
        except StepFailed as failed:
            if isinstance(failed.cause, Failure):
                raise failed.cause from failed
            raise Failure(str(failed), advice=failed.step.advice, log=failed.log) from failed


def _missing_packages(*, with_mysql: bool, with_java: bool, with_browser: bool) -> list[SystemPackages]:
    wanted = (
        (with_mysql, mariadb.is_installed, mariadb.PACKAGES),
        (with_java, java.is_installed, java.PACKAGES),
        (with_browser, chromium.is_installed, chromium.PACKAGES),
    )
    return [packages for is_wanted, is_installed, packages in wanted if is_wanted and not is_installed()]


def _package_steps(packages: list[SystemPackages]) -> list[Step]:
    """List a step for each program, one after the other: the package manager takes only one at a time."""
    names = [f"packages-{number}" for number in range(len(packages))]
    return [
        Step(
            name=name,
            title=f"Installing {one.title}",
            run=partial(system_packages.install, packages=one),
            advice=one.by_hand,
            after=tuple(names[:number][-1:]),
        )
        for number, (name, one) in enumerate(zip(names, packages, strict=True))
    ]


def missing_steps() -> list[Step]:
    """List the steps that this machine still needs, beside the system's packages."""
    steps: list[Step] = []
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
        title = "Installing the CDK CLI and the compiler for Lambda"
        steps.append(Step(name="cdk-cli", title=title, run=cdk.install, after=needs_node, advice=NETWORK))
    return steps
