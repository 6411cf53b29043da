"""A Kafka event source mapping: how a function consumes its topic without losing a record."""

from collections.abc import Iterator

from aws_cdk import Fn, Stack
from aws_cdk import aws_lambda as lambda_

from cdk_app.acknowledgements import acknowledge
from cdk_app.settings import Mapping, Stage
from cdk_app.stores import KafkaStore

RETRY_ATTEMPTS = 10_000
"""As good as for ever: "infinite" would become 10 as soon as somebody adds an on-failure destination (Lambda developer
guide, "Retain records for failed invocations"). A record that can never succeed is the handler's to judge."""


def consumer_group(stage: Stage, function: str, cell_id: str | None = None) -> str:
    """Name the consumer group of a function; fixed, so that a mapping made anew goes on where the old one stopped."""
    return "-".join(filter(None, (stage.prefix, function, cell_id)))


def honours_partial_batches(mapping: Mapping) -> str:
    """Tell the handler (GOCHAT_PARTIAL_BATCH) whether the mapping heeds the failures that it reports."""
    return "true" if mapping.pollers else "false"


def mapped(function: lambda_.IFunction) -> str:
    """Name a function to a mapping: by its name, or by its alias, which a name alone would pass by."""
    return function.function_arn if isinstance(function, lambda_.Alias) else function.function_name


def declare_mapping(
    stack: Stack,
    construct_id: str,
    *,
    function: lambda_.IFunction,
    mapping: Mapping,
    poller_group: str | None,
    kafka: KafkaStore,
    topic: str,
    group: str,
) -> lambda_.CfnEventSourceMapping:
    """Declare the mapping of one topic to one function.

    TRIM_HORIZON, because with LATEST whatever is produced before the pollers' first poll is lost. Window 0 instead of
    the default 500 ms. Caps on retries, bisecting and partial batches exist in provisioned mode alone.
    A mapping that must be replaced collides with the old one over the group: change the group's name with it.
    """
    declared = lambda_.CfnEventSourceMapping(
        stack,
        construct_id,
        function_name=mapped(function),
        topics=[topic],
        batch_size=mapping.batch_size,
        maximum_batching_window_in_seconds=0,
        starting_position="TRIM_HORIZON",
    )
    acknowledge(
        declared,
        "Serverless-LambdaEventSourceMappingDestination",
        "A destination would cap the retries and lose what could still succeed: what never can, the handler itself "
        "sends to the dead-letter topic with its reason.",
    )
    _name_source(declared, kafka, group)
    if mapping.pollers:
        declared.provisioned_poller_config = lambda_.CfnEventSourceMapping.ProvisionedPollerConfigProperty(
            minimum_pollers=mapping.pollers.minimum,
            maximum_pollers=mapping.pollers.maximum,
            poller_group_name=poller_group,
        )
        declared.maximum_retry_attempts = RETRY_ATTEMPTS
        declared.bisect_batch_on_function_error = True
        declared.function_response_types = ["ReportBatchItemFailures"]
    return declared


def _name_source(declared: lambda_.CfnEventSourceMapping, kafka: KafkaStore, group: str) -> None:
    """Name the cluster, MSK by its ARN, another one by its addresses, and how to log in to it."""
    declared.source_access_configurations = [*_accesses(kafka)] or None
    if kafka.cluster_arn:
        declared.event_source_arn = kafka.cluster_arn
        declared.amazon_managed_kafka_event_source_config = (
            lambda_.CfnEventSourceMapping.AmazonManagedKafkaEventSourceConfigProperty(consumer_group_id=group)
        )
    else:
        declared.self_managed_event_source = lambda_.CfnEventSourceMapping.SelfManagedEventSourceProperty(
            endpoints=lambda_.CfnEventSourceMapping.EndpointsProperty(
                kafka_bootstrap_servers=Fn.split(",", kafka.bootstrap)
            )
        )
        declared.self_managed_kafka_event_source_config = (
            lambda_.CfnEventSourceMapping.SelfManagedKafkaEventSourceConfigProperty(consumer_group_id=group)
        )


def _accesses(kafka: KafkaStore) -> Iterator[lambda_.CfnEventSourceMapping.SourceAccessConfigurationProperty]:
    """Yield login and place of the pollers (Lambda API reference, "SourceAccessConfiguration").

    With IAM there is nothing to say; MSK's subnets and security groups are its own.
    """
    access = lambda_.CfnEventSourceMapping.SourceAccessConfigurationProperty
    if kafka.secret_arn:
        kind = "SASL_SCRAM_512_AUTH" if kafka.auth == "scram" else "CLIENT_CERTIFICATE_TLS_AUTH"
        yield access(type=kind, uri=kafka.secret_arn)
    if kafka.ca_secret_arn:
        yield access(type="SERVER_ROOT_CA_CERTIFICATE", uri=kafka.ca_secret_arn)
    if kafka.network and not kafka.cluster_arn:
        for subnet in kafka.network.subnet_ids:
            yield access(type="VPC_SUBNET", uri=f"subnet:{subnet}")
        yield access(type="VPC_SECURITY_GROUP", uri=f"security_group:{kafka.network.security_group_id}")
