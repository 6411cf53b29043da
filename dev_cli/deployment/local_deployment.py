"""Brings the running local stage up to date with the sources."""

from dev_cli.failure import Failure
from dev_cli.paths import LOGS, stage_home
from dev_cli.progress import StepProgress
from dev_cli.stage import serving_stage, stage_options
from local_stage.supervisor import cloud
from local_stage.supervisor.steps import Step, StepContext, StepFailed, run_steps


def deploy_local() -> dict[str, str]:
    """Deploy every stack to the local AWS and give their outputs."""
    state = serving_stage()
    options = stage_options(
        kafka="", mysql="", redis="", http_port=0, attached=False, gateways=len(state.gateways) or 1
    )
    outputs: dict[str, str] = {}

    def deploy(context: StepContext) -> None:
        synthesis = cloud.synthesize(context, options)
        assert state.aws_url is not None
        outputs.update(
            cloud.deploy(
                context,
                options,
                synthesis=synthesis,
                aws_url=state.aws_url,
                parameters=cloud.parameters_for(state.services, state.aws_url),
            )
        )

    with StepProgress() as progress:
        try:
            step = Step(name="deploy-local", title="Deploying to the local stage", run=deploy)
            run_steps([step], logs=LOGS, listener=progress)
        except StepFailed as failed:
            raise Failure(str(failed), log=failed.log, advice=f"Is the stage well? {stage_home()}") from failed
    return outputs
