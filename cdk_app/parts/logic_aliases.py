"""The names under which im-logic is called: each in the registry, with its share of the calls."""

from aws_cdk import Stack
from aws_cdk import aws_lambda as lambda_

from cdk_app.parts.registry import LOGIC, Registry
from cdk_app.parts.release import ALIAS
from cdk_app.settings import LogicAlias


def declare_alias(stack: Stack, registry: Registry, function: lambda_.IFunction, settings: LogicAlias) -> str:
    """Declare an alias, register it, and return its ARN.

    Where the stage has releases, `live` is theirs: CodeDeploy moves it from version to version. Any other leads to the
    version that the stage says, $LATEST by default.
    """
    released = isinstance(function, lambda_.Alias)
    if released and settings.name == ALIAS:
        arn = function.function_arn
    else:
        plain = function.lambda_ if isinstance(function, lambda_.Alias) else function
        arn = lambda_.CfnAlias(
            stack,
            f"LogicRpc{settings.name.capitalize()}",
            name=settings.name,
            function_name=plain.function_name,
            function_version=settings.version,
        ).ref
    registry.register(
        stack,
        f"LogicRpc{settings.name.capitalize()}",
        service=LOGIC,
        instance_id=settings.name,
        attributes={"function": arn, "weight": str(settings.weight), "version": settings.version},
    )
    return arn
