"""The prober: the function that keeps the leases of whoever is registered."""

from collections.abc import Sequence

from cdk_app import catalogue
from cdk_app.parts.function import FunctionContext
from cdk_app.parts.registry import Registry
from cdk_app.parts.schedule import declare_schedule
from cdk_app.stores import allow


def declare_prober(
    context: FunctionContext, registry: Registry, *, repo_function: str, functions: Sequence[str]
) -> None:
    """Declare the prober with its schedule; `functions` are those that it asks for their health, by ARN."""
    prober = context.make(
        catalogue.GATEWAY_PROBER,
        environment={"GOCHAT_REPO_FUNCTION": repo_function, **registry.prober_environment()},
        statements=[allow(["InvokeFunction"], [repo_function, *functions], "lambda"), *registry.may_keep_leases()],
    )
    declare_schedule(context, catalogue.GATEWAY_PROBER, prober, on=context.stage.sweeps.on)
