"""The message broker: an MSK cluster that takes IAM over TLS and nothing else, and the topics of a provisioned one."""

import base64
from typing import Any

from aws_cdk import Stack
from aws_cdk import aws_kms as kms
from aws_cdk import aws_msk as msk
from constructs import Construct

from cdk_app.parts.function import declare_log_group, vended_logs
from cdk_app.parts.keeping import removal
from cdk_app.settings import Stage
from cdk_app.stacks.network import NetworkStack
from cdk_app.store_settings import Broker, Managed
from cdk_app.topics import plan_topics

EXPRESS_DECIDES = (
    "default.replication.factor",
    "min.insync.replicas",
    "unclean.leader.election.enable",
    "offsets.retention.minutes",
)
"""What Express brokers set themselves, to 3, 2, false and Kafka's own 7 days, and refuse to be told (MSK developer
guide, "Express brokers read-only configurations" and "Express broker configurations")."""


class BrokerStack(Stack):
    """The MSK cluster, and its topics unless it is serverless."""

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        stage: Stage,
        settings: Managed,
        network: NetworkStack,
        key: kms.IKey | None,
        **options: Any,
    ) -> None:
        super().__init__(scope, construct_id, **options)
        self._stage = stage
        self._settings = settings
        self._key = key
        cluster: msk.CfnCluster | msk.CfnServerlessCluster
        if isinstance(settings.broker, Broker):
            cluster = self._declare_cluster(settings.broker, network, self._declare_configuration(settings.broker))
            self._declare_topics(cluster)
        else:
            cluster = self._declare_serverless(network)
        cluster.apply_removal_policy(removal(keep=settings.keep))
        self.cluster_arn = cluster.ref

    def _declare_serverless(self, network: NetworkStack) -> msk.CfnServerlessCluster:
        """Declare a cluster without brokers; every property is fixed for ever, IAM and TLS are all that it takes."""
        return msk.CfnServerlessCluster(
            self,
            "Serverless",
            cluster_name=self._stage.prefix,
            client_authentication=msk.CfnServerlessCluster.ClientAuthenticationProperty(
                sasl=msk.CfnServerlessCluster.SaslProperty(iam=msk.CfnServerlessCluster.IamProperty(enabled=True))
            ),
            vpc_configs=[
                msk.CfnServerlessCluster.VpcConfigProperty(
                    subnet_ids=[subnet.subnet_id for subnet in network.subnets],
                    security_groups=[network.groups.broker.security_group_id],
                )
            ],
        )

    def _declare_configuration(self, settings: Broker) -> msk.CfnConfiguration:
        topics = self._stage.topics
        properties = {
            # A misspelt topic should fail, not appear.
            "auto.create.topics.enable": "false",
            "default.replication.factor": str(topics.replication_factor),
            "min.insync.replicas": str(topics.min_insync_replicas),
            # Rather no leader than one that lacks acknowledged records.
            "unclean.leader.election.enable": "false",
            "log.retention.hours": str(topics.retention_hours),
            # A consumer group that is idle longer than this starts again from the oldest record.
            "offsets.retention.minutes": str(14 * 24 * 60),
        }
        if settings.is_express:
            for fixed in EXPRESS_DECIDES:
                properties.pop(fixed)
            # Of the ways to say it, the one that Express brokers know ("Static configurations on MSK Express brokers").
            properties["log.retention.ms"] = str(int(properties.pop("log.retention.hours")) * 3_600_000)
        return msk.CfnConfiguration(
            self,
            "Configuration",
            name=self._stage.prefix,
            server_properties="\n".join(f"{name}={value}" for name, value in properties.items()),
        )

    def _declare_cluster(
        self, settings: Broker, network: NetworkStack, configuration: msk.CfnConfiguration
    ) -> msk.CfnCluster:
        log_group = declare_log_group(
            self, "BrokerLogs", stage=self._stage, name=vended_logs("msk", self._stage.prefix)
        )
        return msk.CfnCluster(
            self,
            "Cluster",
            cluster_name=self._stage.prefix,
            kafka_version=settings.kafka_version,
            number_of_broker_nodes=settings.brokers,
            broker_node_group_info=self._broker_nodes(settings, network),
            client_authentication=msk.CfnCluster.ClientAuthenticationProperty(
                sasl=msk.CfnCluster.SaslProperty(iam=msk.CfnCluster.IamProperty(enabled=True)),
                unauthenticated=msk.CfnCluster.UnauthenticatedProperty(enabled=False),
            ),
            # At rest MSK always encrypts, with its own key unless given another.
            encryption_info=msk.CfnCluster.EncryptionInfoProperty(
                encryption_at_rest=(
                    msk.CfnCluster.EncryptionAtRestProperty(data_volume_kms_key_id=self._key.key_arn)
                    if self._key
                    else None
                ),
                encryption_in_transit=msk.CfnCluster.EncryptionInTransitProperty(client_broker="TLS", in_cluster=True),
            ),
            enhanced_monitoring="PER_TOPIC_PER_BROKER" if self._settings.keep else "DEFAULT",
            configuration_info=msk.CfnCluster.ConfigurationInfoProperty(
                arn=configuration.attr_arn,
                # Whatever revision the latest change of the properties has made.
                revision=configuration.attr_latest_revision_revision,
            ),
            logging_info=msk.CfnCluster.LoggingInfoProperty(
                broker_logs=msk.CfnCluster.BrokerLogsProperty(
                    cloud_watch_logs=msk.CfnCluster.CloudWatchLogsProperty(
                        enabled=True, log_group=log_group.log_group_name
                    )
                )
            ),
        )

    def _broker_nodes(self, settings: Broker, network: NetworkStack) -> msk.CfnCluster.BrokerNodeGroupInfoProperty:
        return msk.CfnCluster.BrokerNodeGroupInfoProperty(
            instance_type=settings.instance_type,
            client_subnets=[subnet.subnet_id for subnet in network.subnets],
            security_groups=[network.groups.broker.security_group_id],
            storage_info=(
                None
                if settings.is_express
                else msk.CfnCluster.StorageInfoProperty(
                    ebs_storage_info=msk.CfnCluster.EBSStorageInfoProperty(volume_size=settings.volume_gib)
                )
            ),
            connectivity_info=msk.CfnCluster.ConnectivityInfoProperty(
                public_access=msk.CfnCluster.PublicAccessProperty(type="DISABLED")
            ),
        )

    def _declare_topics(self, cluster: msk.CfnCluster) -> None:
        """Declare the topics; removed from the template they stay, with the records that nobody has read yet."""
        for plan in plan_topics(self._stage):
            lines = "\n".join(f"{name}={value}" for name, value in plan.configs.items())
            topic = msk.CfnTopic(
                self,
                plan.title,
                cluster_arn=cluster.ref,
                topic_name=plan.name,
                partition_count=plan.partitions,
                replication_factor=plan.replication_factor,
                configs=base64.b64encode(lines.encode()).decode(),
            )
            topic.apply_removal_policy(removal(keep=True))
