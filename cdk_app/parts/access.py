"""Brings a stage's stores into the stack that uses them."""

from dataclasses import dataclass

from aws_cdk import Annotations, Fn, Stack
from aws_cdk import aws_ec2 as ec2

from cdk_app.external_stores import external_stores
from cdk_app.parts.custom_resource import declare_custom_resource
from cdk_app.parts.function import FunctionContext, Placement
from cdk_app.settings import Stage
from cdk_app.store_settings import Broker, External, Managed, ServerlessBroker
from cdk_app.stores import CacheStore, DatabaseStore, KafkaStore, Stores, may_look_up_brokers


@dataclass(frozen=True, kw_only=True)
class ManagedStores:
    """What the Data and Broker stacks made."""

    broker_arn: str
    database: DatabaseStore
    database_arn: str
    master_secret_arn: str
    cache: CacheStore
    key_arn: str | None


def declare_stores(context: FunctionContext, managed: ManagedStores | None) -> Stores:
    """Return the stores as the functions of a stack see them.

    The brokers' addresses are looked up in each stack instead of being exported by one: they change with the number of
    brokers, and an export that is in use can't.
    """
    settings = context.stage.stores
    if isinstance(settings, External):
        return external_stores(context.stack, settings)
    assert isinstance(settings, Managed)
    assert managed is not None
    lookup = declare_custom_resource(
        context,
        "BootstrapBrokers",
        module="bootstrap_brokers",
        properties={"ClusterArn": managed.broker_arn, "Brokers": _count(settings.broker)},
        statements=[may_look_up_brokers()],
    )
    return Stores(
        kafka=KafkaStore(bootstrap=lookup.get_att_string("Brokers"), auth="iam", cluster_arn=managed.broker_arn),
        database=managed.database,
        cache=managed.cache,
    )


def _count(broker: Broker | ServerlessBroker) -> str:
    return str(broker.brokers) if isinstance(broker, Broker) else "serverless"


def external_placement(stack: Stack, stage: Stage) -> Placement | None:
    """Return where functions must stand to reach external stores, or None: they are reached from anywhere."""
    settings = stage.stores
    if not isinstance(settings, External) or not settings.network:
        return None
    network = settings.network
    vpc = ec2.Vpc.from_vpc_attributes(
        stack,
        "Vpc",
        vpc_id=network.vpc_id,
        # Asked for, and of no use here: the subnets lie where they lie.
        availability_zones=[Fn.select(number, Fn.get_azs()) for number in range(len(network.subnet_ids))],
        isolated_subnet_ids=list(network.subnet_ids),
    )
    for subnet in vpc.isolated_subnets:
        Annotations.of(subnet).acknowledge_warning(
            "@aws-cdk/aws-ec2:noSubnetRouteTableId", "Nothing here changes the routes of somebody else's network."
        )
    return Placement(
        vpc=vpc,
        subnets=ec2.SubnetSelection(subnets=vpc.isolated_subnets),
        security_group=ec2.SecurityGroup.from_security_group_id(
            stack, "Group", network.security_group_id, mutable=False
        ),
    )
