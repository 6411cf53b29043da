"""The names under which im-logic is called: each in the registry, with its share of the calls."""

from aws_cdk import Aws, Stack
from aws_cdk import aws_lambda as lambda_

from cdk_app.catalogue import LOGIC_RPC
from cdk_app.parts.registry import LOGIC, Registry
from cdk_app.parts.release import ALIAS
from cdk_app.settings import LogicAlias, Stage


def alias_arns(stage: Stage) -> list[str]:
    """Write the ARNs of a stage's aliases, the one to fall back to first, for other stacks.

    By their names: an ARN handed on would be an export, and an alias that is in use elsewhere could not be taken out.
    """
    function = f"arn:{Aws.PARTITION}:lambda:{Aws.REGION}:{Aws.ACCOUNT_ID}:function:{stage.prefix}-{LOGIC_RPC.name}"
    return [f"{function}:{alias.name}" for alias in stage.logic_aliases]


def declare_alias(stack: Stack, registry: Registry, function: lambda_.IFunction, settings: LogicAlias) -> None:
    """Declare an alias and register it.

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
