"""Findings of cdk-nag that are meant to be so, each with its reason; any other one fails the synthesis."""

from collections.abc import Sequence

from aws_cdk import Acknowledgment, App, Stack, Validations
from aws_cdk.aws_apigatewayv2 import CfnApi
from constructs import IConstruct

from cdk_app.settings import Stage

_REASONS = {
    "L1": "Python 3.13 is the release that the wheels and the byte code are built for; a newer one comes with both.",
    "VPC7": "The network has no way in or out and its groups name their peers; flow logs are billed by the gigabyte.",
    "SMG4": "Signing keys stay good for as long as tokens live that they signed, and are replaced by adding to them; "
    "the database's master password is seen by the Data API alone, functions log in with IAM.",
    "RDS11": "The port is no secret and no defence: only the functions' security group reaches it.",
    "RDS14": "Rewinding the cluster in place would rewind every conversation; point-in-time recovery makes a new one.",
    "IAM4[Policy::arn:<AWS::Partition>:iam::aws:policy/service-role/AmazonAPIGatewayPushToCloudWatchLogs]": (
        "The account's log role is shared by all APIs of the account; AWS documents this very policy for it."
    ),
    "IAM5[Resource::*]": "X-Ray, the network interfaces of a VPC and the list of alarms know no resources to name.",
    "APIG4": "A WebSocket API authorizes the connection, at $connect; behind the HTTP API's one route the function "
    "decides by path, because register, login and health are open.",
}


def acknowledge_all(app: App) -> None:
    """Acknowledge what holds for all stacks of an app."""
    for rule, reason in _REASONS.items():
        _acknowledge(app, rule, reason)


def acknowledge_connections(stack: Stack, api: CfnApi, stage: Stage) -> None:
    """Acknowledge that the callers of a WebSocket API's @connections may name any connection of it."""
    owner = f"{stage.region}:{stage.account or '<AWS::AccountId>'}"
    resource = f"arn:aws:execute-api:{owner}:<{stack.get_logical_id(api)}>/{stage.name}/*/@connections/*"
    _acknowledge(
        stack, f"IAM5[Resource::{resource}]", "Connections are made by clients: their ids are unknown until they are."
    )


def acknowledge_media(stack: Stack, stage: Stage) -> None:
    """Acknowledge that the signer of uploads and downloads may name any file that clients have uploaded."""
    owner = stage.account or "<AWS::AccountId>"
    files = f"arn:<AWS::Partition>:s3:::{stage.prefix}-media-{owner}-{stage.region}/media/*"
    _acknowledge(stack, f"IAM5[Resource::{files}]", "Each file has a key of its own, drawn when it is uploaded.")


def acknowledge_push(stack: Stack, applications: Sequence[str]) -> None:
    """Acknowledge that the sender of pushes may name any device's endpoint of its platform applications."""
    for application in applications:
        endpoints = f"{application.replace(':app/', ':endpoint/')}/*"
        _acknowledge(stack, f"IAM5[Resource::{endpoints}]", "SNS draws an endpoint's id when a device is registered.")


def acknowledge_access_logs(bucket: IConstruct) -> None:
    """Acknowledge that S3 does not log who fetches which file."""
    _acknowledge(
        bucket,
        "S1",
        "Every URL of the bucket is signed by one function, which logs each call with its user; S3's access logs are "
        "best effort and would put those URLs, with their signatures, into another bucket.",
    )


def acknowledge_backup_role(role: IConstruct) -> None:
    """Acknowledge the policy by which AWS Backup copies the database."""
    _acknowledge(
        role,
        "IAM4[Policy::arn:<AWS::Partition>:iam::aws:policy/service-role/AWSBackupServiceRolePolicyForBackup]",
        "What a backup of Aurora calls is AWS Backup's to know; AWS documents this very policy for it.",
    )


def _acknowledge(scope: IConstruct, rule: str, reason: str) -> None:
    Validations.of(scope).acknowledge(Acknowledgment(id=f"AwsSolutions::AwsSolutions-{rule}", reason=reason))
