"""One Lambda function of GoChat with its role, its log group and its place in or outside the VPC."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from aws_cdk import CfnOutput, Duration, Stack
from aws_cdk import aws_ec2 as ec2
from aws_cdk import aws_iam as iam
from aws_cdk import aws_lambda as lambda_
from aws_cdk import aws_logs as logs
from constructs import IDependable

from cdk_app.acknowledgements import acknowledge
from cdk_app.catalogue import FunctionSpec
from cdk_app.parts.code import ARCHITECTURE, RUNTIME, CodeLibrary
from cdk_app.parts.keeping import removal
from cdk_app.parts.release import declare_release, version_options
from cdk_app.settings import Stage
from cdk_app.stores import allow, may_use_network_interfaces


@dataclass(frozen=True, kw_only=True)
class Placement:
    """Where functions that speak to the stores stand."""

    vpc: ec2.IVpc
    subnets: ec2.SubnetSelection
    security_group: ec2.ISecurityGroup
    ipv6: bool = False
    """Whether AWS is reached by IPv6, which its services answer under other names."""


@dataclass(frozen=True, kw_only=True)
class FunctionContext:
    """What all functions of a stack share; `placement` is None where the stores need no VPC."""

    stack: Stack
    stage: Stage
    code: CodeLibrary
    placement: Placement | None
    key_arn: str | None = None
    """The stage's own key, where it has one."""

    def make(
        self,
        spec: FunctionSpec,
        *,
        environment: Mapping[str, str],
        statements: Sequence[iam.PolicyStatement] = (),
        cell_id: str | None = None,
        after: Sequence[IDependable] = (),
    ) -> lambda_.IFunction:
        """Declare a function, and an output with its name, and return what callers call: its alias if it has one.

        `cell_id` sets the cells' functions apart; `after` is what must be there before its code.
        """
        title = spec.title + (cell_id.capitalize() if cell_id else "")
        name = "-".join(filter(None, (self.stage.prefix, spec.name, cell_id)))
        placement = self.placement if spec.in_vpc else None
        # Sampling rules of X-Ray don't bind Lambda: its rate "cannot be configured" (Lambda developer guide, "Visualize
        # Lambda function invocations using AWS X-Ray"). What can be chosen is whether it decides at all.
        traced = self.stage.tracing == "sampled"
        log_group = declare_log_group(self.stack, f"{title}Logs", stage=self.stage, name=f"/aws/lambda/{name}")
        function = lambda_.Function(
            self.stack,
            title,
            function_name=name,
            runtime=RUNTIME,
            architecture=ARCHITECTURE,
            handler=spec.handler,
            code=self.code.function(spec.package),
            layers=[self.code.layer(layer) for layer in spec.layers],
            memory_size=self.stage.memory_mib,
            timeout=Duration.seconds(spec.timeout_s),
            reserved_concurrent_executions=dict(self.stage.reserved_concurrency).get(spec.name),
            role=declare_role(self.stack, f"{title}Role", log_group, statements, traced=traced, in_vpc=bool(placement)),
            log_group=log_group,
            tracing=lambda_.Tracing.ACTIVE if traced else lambda_.Tracing.PASS_THROUGH,
            environment={**self._common(placement), **environment},
            vpc=placement.vpc if placement else None,
            vpc_subnets=placement.subnets if placement else None,
            security_groups=[placement.security_group] if placement else None,
            ipv6_allowed_for_dual_stack=True if placement and placement.ipv6 else None,
            current_version_options=version_options(self.stack, self.stage),
        )
        acknowledge_function(function)
        for resource in after:
            function.node.add_dependency(resource)
        CfnOutput(self.stack, f"{title}Function", value=function.function_name)
        if self.stage.release and spec.name in self.stage.release.functions:
            return declare_release(self.stack, self.stage, self.stage.release, function, title)
        return function

    def _common(self, placement: Placement | None) -> dict[str, str]:
        common = {"GOCHAT_STAGE": self.stage.name, "GOCHAT_LOG_LEVEL": self.stage.log_level}
        if placement and placement.ipv6:
            # boto3 then calls the services' dual-stack names (AWS SDKs reference, "Dual-stack and FIPS endpoints").
            common["AWS_USE_DUALSTACK_ENDPOINT"] = "true"
        return common


def acknowledge_function(function: lambda_.Function) -> None:
    """Acknowledge the release of Python that a function runs on, and that it has no dead-letter queue of its own."""
    acknowledge(
        function,
        "Serverless-LambdaDLQ",
        "It is for asynchronous invocations alone; what is invoked so has a queue of failures that is done again, or a "
        "next run within a minute.",
    )
    for rule in ("AwsSolutions-L1", "Serverless-LambdaLatestVersion"):
        acknowledge(
            function,
            rule,
            "Python 3.13 is the release that the wheels and the byte code are built for; a newer one comes with both.",
        )


def declare_role(
    stack: Stack,
    name: str,
    log_group: logs.LogGroup,
    statements: Sequence[iam.PolicyStatement],
    *,
    traced: bool = False,
    in_vpc: bool = False,
) -> iam.IRole:
    """Declare a function's role with its rights inside.

    Inside, because a policy beside the role may come after the event source mapping that needs it. Frozen, because CDK
    would add managed policies that allow every log group and, for X-Ray, a second policy document.
    """
    rights = [allow(["CreateLogStream", "PutLogEvents"], [log_group.log_group_arn], "logs"), *statements]
    if traced:
        # X-Ray knows no resources to narrow these to.
        rights.append(allow(["PutTraceSegments", "PutTelemetryRecords"], ["*"], "xray"))
    if in_vpc:
        rights.append(may_use_network_interfaces())
    role = iam.Role(
        stack,
        name,
        assumed_by=iam.ServicePrincipal("lambda.amazonaws.com"),
        inline_policies={"rights": iam.PolicyDocument(statements=rights)},
    )
    for rule in ("AwsSolutions-IAM5[Resource::*]", "Serverless-LambdaStarPermissions"):
        acknowledge(role, rule, "X-Ray and the network interfaces of a VPC know no resources to name.")
    return role.without_policy_updates()


def declare_log_group(stack: Stack, construct_id: str, *, stage: Stage, name: str) -> logs.LogGroup:
    """Declare a log group that forgets after the stage's retention; CloudWatch encrypts it by itself."""
    return logs.LogGroup(
        stack,
        construct_id,
        log_group_name=name,
        retention=_RETENTION[stage.log_retention_days],
        removal_policy=removal(keep=stage.keep),
    )


def vended_logs(service: str, name: str) -> str:
    """Name a log group that a service of AWS writes to by log delivery.

    Under any other name the service would add the group to a resource policy that all groups of the region share, and
    that has room for 5,120 characters (CloudWatch Logs user guide, "Log group resource policy size limit
    considerations"): in an account with many APIs the stage could not be made.
    """
    return f"/aws/vendedlogs/{service}/{name}"


_RETENTION = {
    1: logs.RetentionDays.ONE_DAY,
    14: logs.RetentionDays.TWO_WEEKS,
    90: logs.RetentionDays.THREE_MONTHS,
}
