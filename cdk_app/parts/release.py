"""New code reaches callers little by little: a version, the alias that they call, and the alarm that takes it back."""

from aws_cdk import CfnParameter, Fn, Stack
from aws_cdk import aws_codedeploy as codedeploy
from aws_cdk import aws_iam as iam
from aws_cdk import aws_lambda as lambda_

from cdk_app.acknowledgements import acknowledge
from cdk_app.parts.alarms import MINUTE, Watch, declare_alarm
from cdk_app.parts.keeping import removal
from cdk_app.settings import Release, Stage
from cdk_app.store_settings import Broker, Managed
from cdk_app.stores import allow

ALIAS = "live"

ERRORS = 3
"""Failed calls in a minute, of all versions together, at which a release is taken back."""

_CONFIGURATIONS = {
    "CANARY_10PERCENT_5MINUTES": codedeploy.LambdaDeploymentConfig.CANARY_10_PERCENT_5_MINUTES,
    "CANARY_10PERCENT_15MINUTES": codedeploy.LambdaDeploymentConfig.CANARY_10_PERCENT_15_MINUTES,
    "LINEAR_10PERCENT_EVERY_1MINUTE": codedeploy.LambdaDeploymentConfig.LINEAR_10_PERCENT_EVERY_1_MINUTE,
}


def version_options(stack: Stack, stage: Stage) -> lambda_.VersionOptions | None:
    """Describe a version by what changes its environment without changing the template.

    A version freezes the environment. CDK publishes another one when the template changes; the brokers' addresses and
    the signing keys are known to CloudFormation alone. Another description makes another version as well (Lambda
    template reference, "AWS::Lambda::Version": its update is a replacement; at most 256 characters).
    """
    if not stage.release:
        return None
    managed = stage.stores if isinstance(stage.stores, Managed) else None
    brokers = managed.broker.brokers if managed and isinstance(managed.broker, Broker) else 0
    revisions = [child.value_as_string for child in stack.node.children if isinstance(child, CfnParameter)]
    return lambda_.VersionOptions(
        description=Fn.join(" ", [f"{brokers} brokers, revisions:", *revisions]),
        # A `LogicAlias` may stand on a version of before, and whoever goes back by hand needs one to go to.
        removal_policy=removal(keep=True),
    )


def declare_release(
    stack: Stack, stage: Stage, release: Release, function: lambda_.Function, title: str
) -> lambda_.Alias:
    """Declare the alias that callers use and how CodeDeploy moves it to the next version.

    Each alias has an event configuration, permissions and mappings of its own: whoever calls the function must be given
    what this returns.
    """
    alias = lambda_.Alias(stack, f"{title}Live", alias_name=ALIAS, version=function.current_version)
    watch = Watch(
        name=f"{title}ReleaseAlarm",
        metric=alias.metric_errors(period=MINUTE, statistic="Sum"),
        threshold=ERRORS,
        periods=1,
        meaning=f"{title}: calls fail; CodeDeploy takes a release that is under way back.",
        runbook="a-release-was-taken-back",
    )
    alarm = declare_alarm(stack, stage, watch)
    application, role = _application(stack)
    codedeploy.LambdaDeploymentGroup(
        stack,
        f"{title}Release",
        application=application,
        alias=alias,
        deployment_config=_CONFIGURATIONS[release.canary],
        alarms=[alarm],
        role=role.without_policy_updates(),
    )
    # Lambda asks for the first two on the function and not on its alias, whose ARN alone would refuse every release
    # (service authorization reference, "AWS Lambda"; error messages name the function); the last is asked of the alias
    # (AWS managed policy AWSCodeDeployRoleForLambdaLimited).
    actions = ["GetAlias", "UpdateAlias", "GetProvisionedConcurrencyConfig"]
    role.add_to_policy(allow(actions, [function.function_arn, alias.function_arn], "lambda"))
    return alias


def _application(stack: Stack) -> tuple[codedeploy.LambdaApplication, iam.Role]:
    """Return the stack's application and the role of its deployments, declared once.

    The role replaces CDK's, whose managed policy may move every alias of the account.
    """
    known = stack.node.try_find_child("Releases")
    if isinstance(known, codedeploy.LambdaApplication):
        role = stack.node.find_child("ReleaseRole")
        assert isinstance(role, iam.Role)
        return known, role
    role = iam.Role(
        stack,
        "ReleaseRole",
        assumed_by=iam.ServicePrincipal("codedeploy.amazonaws.com"),
        inline_policies={
            # CloudWatch knows no resources to narrow this to.
            "alarms": iam.PolicyDocument(statements=[allow(["DescribeAlarms"], ["*"], "cloudwatch")])
        },
    )
    acknowledge(role, "AwsSolutions-IAM5[Resource::*]", "CloudWatch's list of alarms knows no resources to name.")
    return codedeploy.LambdaApplication(stack, "Releases"), role
