"""Brings a stage's stores into the stack that uses them."""

from dataclasses import dataclass

from cdk_app.parts.custom_resource import declare_custom_resource
from cdk_app.parts.function import FunctionContext
from cdk_app.settings import Managed
from cdk_app.stores import CacheStore, DatabaseStore, KafkaStore, Stores, allow, external_stores


@dataclass(frozen=True, kw_only=True)
class ManagedStores:
    """What the Data and Broker stacks made."""

    broker_arn: str
    database: DatabaseStore
    database_arn: str
    master_secret_arn: str
    cache: CacheStore


def declare_stores(context: FunctionContext, managed: ManagedStores | None) -> Stores:
    """Return the stores as the functions of a stack see them.

    The brokers' addresses are looked up in each stack instead of being exported by one: they change with the number of
    brokers, and an export that is in use can't.
    """
    if managed is None:
        return external_stores(context.stack)
    settings = context.stage.stores
    assert isinstance(settings, Managed)
    lookup = declare_custom_resource(
        context,
        "BootstrapBrokers",
        module="bootstrap_brokers",
        properties={"ClusterArn": managed.broker_arn, "Brokers": str(settings.broker.brokers)},
        statements=[allow(["GetBootstrapBrokers"], [managed.broker_arn], "kafka")],
    )
    return Stores(
        kafka=KafkaStore(bootstrap=lookup.get_att_string("Brokers"), cluster_arn=managed.broker_arn),
        database=managed.database,
        cache=managed.cache,
    )
