"""The account's permission for API Gateway to write logs, without which no stage of a WebSocket API can have them."""

from aws_cdk import RemovalPolicy, Stack
from aws_cdk import aws_apigateway as apigateway_v1
from aws_cdk import aws_iam as iam

from cdk_app.acknowledgements import acknowledge

_POLICY = "AmazonAPIGatewayPushToCloudWatchLogs"


def declare_log_account(stack: Stack) -> apigateway_v1.CfnAccount:
    """Let API Gateway write logs: one setting for the whole account and region.

    Retained, because deleting it with this stack would silence every other API of the account.
    """
    role = iam.Role(
        stack,
        "ApiGatewayLogsRole",
        assumed_by=iam.ServicePrincipal("apigateway.amazonaws.com"),
        managed_policies=[iam.ManagedPolicy.from_aws_managed_policy_name(f"service-role/{_POLICY}")],
    )
    acknowledge(
        role,
        f"AwsSolutions-IAM4[Policy::arn:<AWS::Partition>:iam::aws:policy/service-role/{_POLICY}]",
        "The account's log role is shared by all APIs of the account; AWS documents this very policy for it.",
    )
    account = apigateway_v1.CfnAccount(stack, "ApiGatewayAccount", cloud_watch_role_arn=role.role_arn)
    for retained in (role, account):
        retained.apply_removal_policy(RemovalPolicy.RETAIN)
    return account
