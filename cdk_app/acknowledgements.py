"""Says beside a resource why a finding of cdk-nag is meant to be so; any other finding fails the synthesis."""

from collections.abc import Sequence

from aws_cdk import Acknowledgment, Stack, Validations
from aws_cdk.aws_apigatewayv2 import CfnApi
from constructs import IConstruct

from cdk_app.settings import Stage


def acknowledge(scope: IConstruct, rule: str, reason: str) -> None:
    """Say why a finding is meant to be so, for a construct and all beneath it.

    `rule` is the id that the finding names: `AwsSolutions-L1`, `Serverless-LambdaTracing`.
    """
    pack = rule.partition("-")[0]
    Validations.of(scope).acknowledge(Acknowledgment(id=f"{pack}::{rule}", reason=reason))


def acknowledge_connections(stack: Stack, api: CfnApi, stage: Stage) -> None:
    """Acknowledge that the callers of a WebSocket API's @connections may name any connection of it."""
    owner = f"{stage.region}:{stage.account or '<AWS::AccountId>'}"
    resource = f"arn:aws:execute-api:{owner}:<{stack.get_logical_id(api)}>/{stage.name}/*/@connections/*"
    reason = "Connections are made by clients: their ids are unknown until they are."
    acknowledge(stack, f"AwsSolutions-IAM5[Resource::{resource}]", reason)


def acknowledge_media(stack: Stack, stage: Stage) -> None:
    """Acknowledge that the signer of uploads and downloads may name any file that clients have uploaded."""
    owner = stage.account or "<AWS::AccountId>"
    files = f"arn:<AWS::Partition>:s3:::{stage.prefix}-media-{owner}-{stage.region}/media/*"
    reason = "Each file has a key of its own, drawn when it is uploaded."
    acknowledge(stack, f"AwsSolutions-IAM5[Resource::{files}]", reason)


def acknowledge_push(stack: Stack, applications: Sequence[str]) -> None:
    """Acknowledge that the sender of pushes may name any device's endpoint of its platform applications."""
    for application in applications:
        endpoints = f"{application.replace(':app/', ':endpoint/')}/*"
        reason = "SNS draws an endpoint's id when a device is registered."
        acknowledge(stack, f"AwsSolutions-IAM5[Resource::{endpoints}]", reason)
