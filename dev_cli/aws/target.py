"""Says whom a command speaks to: the AWS account of the credentials, or the local AWS of the running stage."""

from dataclasses import dataclass
from typing import Any

from cdk_app.settings import Stage
from cdk_app.stages import find_stage
from dev_cli.stage import serving_stage
from local_stage.supervisor.cloud import ACCOUNT, local_credentials


@dataclass(frozen=True, kw_only=True)
class Target:
    """One stage and where it is, or is to be, deployed; clients are made by `client`."""

    stage: Stage
    session: Any
    endpoint_url: str | None

    def client(self, service: str) -> Any:
        """Give a client of an AWS service in the stage's region."""
        return self.session.client(service, region_name=self.stage.region, endpoint_url=self.endpoint_url)

    @property
    def stack_prefix(self) -> str:
        """What the names of the stage's stacks begin with."""
        return f"GoChat-{self.stage.name}-"


def find_target(stage_name: str) -> Target:
    """Give the target of a stage; Failure if the local stage is asked for and does not serve."""
    import boto3

    stage = find_stage(stage_name)
    if not stage.on_emulator:
        return Target(stage=stage, session=boto3.Session(region_name=stage.region), endpoint_url=None)
    url = serving_stage().aws_url
    assert url is not None
    secret = local_credentials(url)["AWS_SECRET_ACCESS_KEY"]
    session = boto3.Session(aws_access_key_id=ACCOUNT, aws_secret_access_key=secret, region_name=stage.region)
    return Target(stage=stage, session=session, endpoint_url=url)
