"""A custom resource and the function behind it."""

from collections.abc import Mapping, Sequence

from aws_cdk import CustomResource, Duration
from aws_cdk import aws_iam as iam
from aws_cdk import aws_lambda as lambda_

from cdk_app.parts.code import ARCHITECTURE, RUNTIME
from cdk_app.parts.function import FunctionContext, acknowledge_function, declare_log_group, declare_role

# CloudFormation waits an hour for an answer unless told otherwise; the functions answer or die within 15 minutes.
_GRACE_S = 60


def declare_custom_resource(
    context: FunctionContext,
    construct_id: str,
    *,
    module: str,
    properties: Mapping[str, str],
    statements: Sequence[iam.PolicyStatement],
    needs_wheels: bool = False,
    timeout_s: int = 120,
) -> CustomResource:
    """Declare a resource that `cdk_app/custom_resources/<module>.py` makes; properties are text, as they arrive.

    No provider framework: it runs on Node, polls with two functions of its own, and the handlers need neither.
    """
    stack, stage = context.stack, context.stage
    # Two stacks may have the same one: `gochat-dev-edge-signing-key`.
    part = stack.node.id.rsplit("-", 1)[-1].lower()
    name = f"{stage.prefix}-{part}-{module.replace('_', '-')}"
    log_group = declare_log_group(stack, f"{construct_id}Logs", stage=stage, name=f"/aws/lambda/{name}")
    function = lambda_.Function(
        stack,
        f"{construct_id}Function",
        function_name=name,
        runtime=RUNTIME,
        architecture=ARCHITECTURE,
        handler=f"cdk_app.custom_resources.{module}.handle",
        code=context.code.custom_resources(),
        layers=[context.code.layer("wheels")] if needs_wheels else None,
        memory_size=256,
        timeout=Duration.seconds(timeout_s),
        role=declare_role(stack, f"{construct_id}Role", log_group, statements, traced=True),
        log_group=log_group,
        tracing=lambda_.Tracing.ACTIVE,
    )
    acknowledge_function(function)
    return CustomResource(
        stack,
        construct_id,
        resource_type=f"Custom::{construct_id}",
        service_token=function.function_arn,
        service_timeout=Duration.seconds(timeout_s + _GRACE_S),
        properties=dict(properties),
    )
