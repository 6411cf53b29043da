"""The channel to im-logic: each call to an instance of the registry, or to the deployment's own function."""

import grpc
from aws_lambda_powertools import Logger

from gochat_aws.function_invoke import FunctionInvoker
from gochat_aws.invoke_channel import InvokeChannel, lambda_transport
from gochat_aws.registry.balanced_channel import BalancedChannel
from gochat_aws.registry.choose import Outliers
from gochat_aws.registry.discover import Discovery
from gochat_aws.registry.instances import LOGIC, Instance


def open_logic_channel(discovery: Discovery, *, function: str, region: str, logger: Logger) -> grpc.Channel:
    """Return a channel over all of im-logic; `function` serves while the registry tells of no instance."""

    def open_channel(instance: Instance) -> grpc.Channel:
        if instance.target.startswith("grpc://"):
            return grpc.insecure_channel(instance.target.removeprefix("grpc://"))
        invoker = FunctionInvoker(function=instance.target, region=instance.region or region)
        return InvokeChannel(lambda_transport(invoker))

    return BalancedChannel(
        instances=lambda: discovery.instances(LOGIC),
        fallback=Instance(instance_id="fallback", function=function),
        open_channel=open_channel,
        outliers=Outliers(),
        logger=logger,
    )
