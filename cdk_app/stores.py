"""What functions are told of Kafka, MySQL and Redis, and what they may do there: managed and external stores alike."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from aws_cdk import Aws, Fn
from aws_cdk import aws_iam as iam

from cdk_app.store_settings import ExternalNetwork

DATABASE = "gochat"
APP_USER = "gochat_app"
MYSQL_PORT = 3306
MIGRATION_USER = "gochat_migration"


@dataclass(frozen=True, kw_only=True)
class KafkaStore:
    """A Kafka cluster; with an ARN it is MSK."""

    bootstrap: str
    auth: Literal["none", "iam", "scram", "mtls"]
    cluster_arn: str | None = None
    secret_arn: str | None = None
    ca_secret_arn: str | None = None
    key_arn: str | None = None
    network: ExternalNetwork | None = None
    """Where event pollers stand for a cluster that is not MSK; MSK's own subnets are known to Lambda."""

    @property
    def secret_arns(self) -> list[str]:
        """The secrets that whoever logs in has to read."""
        return [arn for arn in (self.secret_arn, self.ca_secret_arn) if arn]

    def environment(self) -> dict[str, str]:
        """Give the variables of a function that produces."""
        told = {"GOCHAT_KAFKA_BOOTSTRAP": self.bootstrap, "GOCHAT_KAFKA_AUTH": self.auth}
        if self.secret_arn:
            told["GOCHAT_KAFKA_SECRET_ARN"] = self.secret_arn
        if self.ca_secret_arn:
            told["GOCHAT_KAFKA_CA_SECRET_ARN"] = self.ca_secret_arn
        return told

    def may_produce(self, topics: Sequence[str]) -> list[iam.PolicyStatement]:
        """Allow the idempotent producer to write to these topics."""
        if self.auth != "iam":
            return may_read_secrets(self.secret_arns, self.key_arn)
        return [
            allow(["Connect", "DescribeCluster", "WriteDataIdempotently"], [self._cluster()], "kafka-cluster"),
            allow(["DescribeTopic", "WriteData"], [self._arn("topic", topic) for topic in topics], "kafka-cluster"),
        ]

    def may_consume(self, topic: str, group: str) -> list[iam.PolicyStatement]:
        """Allow an event source mapping to read a topic in a group.

        CDK's own construct grants none of the `kafka-cluster` actions. The network interfaces are the pollers', which
        Lambda puts into the cluster's subnets; those actions know no resources (Lambda developer guide, "Configuring
        Lambda permissions for Amazon MSK event source mappings", which also asks for secrets to be described).
        """
        rights = may_read_secrets(self.secret_arns, self.key_arn)
        if self.secret_arns:
            rights.append(allow(["DescribeSecret"], self.secret_arns, "secretsmanager"))
        if self.cluster_arn or self.network:
            rights.append(may_use_network_interfaces())
        if not self.cluster_arn:
            return rights
        describes = ["DescribeCluster", "DescribeClusterV2"]
        if self.auth == "scram":
            describes.append("ListScramSecrets")
        rights += [allow(describes, [self.cluster_arn], "kafka"), may_look_up_brokers()]
        if self.auth == "iam":
            # Published policies for such mappings have it; no page says whether pollers ask for it.
            rights.append(allow(["DescribeClusterDynamicConfiguration"], [self.cluster_arn], "kafka-cluster"))
        return [*rights, *self.may_read(topic, group)]

    def may_read(self, topic: str, group: str) -> list[iam.PolicyStatement]:
        """Allow to read a topic by IAM; it asks for rights on a group beside ReadData, also of who joins none.

        MSK developer guide, "Semantics of IAM authorization policy actions and resources".
        """
        if self.auth != "iam":
            return []
        return [
            allow(["Connect", "DescribeCluster"], [self._cluster()], "kafka-cluster"),
            allow(["DescribeTopic", "ReadData"], [self._arn("topic", topic)], "kafka-cluster"),
            allow(["AlterGroup", "DescribeGroup"], [self._arn("group", group)], "kafka-cluster"),
        ]

    def may_make_topics(self, topics: Sequence[str], *, create: bool = True) -> list[iam.PolicyStatement]:
        """Allow to make topics, give them more partitions and set them up; `create` off: to see whether they are there.

        MSK developer guide, "Semantics of IAM authorization policy actions and resources": all of them are for
        serverless clusters too.
        """
        if self.auth != "iam":
            return may_read_secrets(self.secret_arns, self.key_arn)
        actions = ["DescribeTopic"]
        if create:
            actions += ["CreateTopic", "AlterTopic"]
            actions += ["DescribeTopicDynamicConfiguration", "AlterTopicDynamicConfiguration"]
        return [
            allow(["Connect", "DescribeCluster"], [self._cluster()], "kafka-cluster"),
            allow(actions, [self._arn("topic", topic) for topic in topics], "kafka-cluster"),
        ]

    def _cluster(self) -> str:
        assert self.cluster_arn is not None
        return self.cluster_arn

    def _arn(self, kind: str, name: str) -> str:
        """Derive the ARN of a topic or group: the cluster's `name/uuid` with the name behind it."""
        cluster = Fn.select(1, Fn.split(":cluster/", self._cluster()))
        return f"arn:{Aws.PARTITION}:kafka:{Aws.REGION}:{Aws.ACCOUNT_ID}:{kind}/{cluster}/{name}"


@dataclass(frozen=True, kw_only=True)
class DatabaseStore:
    """A MySQL database."""

    host: str
    reader_host: str
    port: str
    auth: Literal["none", "iam", "password"]
    user: str
    migration_user: str
    migration_host: str | None = None
    """Where migrations go past a proxy, which would pin their lock's session; None: `host`."""
    resource_ids: tuple[str, ...] = ()
    """iam: the database's, or its proxy's with the database's own behind it for migrations."""
    secret_arn: str | None = None
    migration_secret_arn: str | None = None
    key_arn: str | None = None

    def environment(self, *, migrates: bool = False) -> dict[str, str]:
        """Give the variables of a function that speaks SQL."""
        direct = self.migration_host if migrates and self.migration_host else None
        told = {
            "GOCHAT_MYSQL_HOST": direct or self.host,
            "GOCHAT_MYSQL_READER_HOST": direct or self.reader_host,
            "GOCHAT_MYSQL_PORT": self.port,
            "GOCHAT_MYSQL_USER": self.migration_user if migrates else self.user,
            "GOCHAT_MYSQL_DATABASE": DATABASE,
            "GOCHAT_MYSQL_AUTH": self.auth,
        }
        secret = self._secret(migrates=migrates)
        return {**told, "GOCHAT_MYSQL_SECRET_ARN": secret} if secret else told

    def may_connect(self, *, migrates: bool = False) -> list[iam.PolicyStatement]:
        """Allow to log in as the function's own database user."""
        if self.auth != "iam":
            secret = self._secret(migrates=migrates)
            return may_read_secrets([secret] if secret else [], self.key_arn)
        resource_id = self.resource_ids[-1 if migrates else 0]
        return [may_log_in(resource_id, self.migration_user if migrates else self.user)]

    def _secret(self, *, migrates: bool) -> str | None:
        return (migrates and self.migration_secret_arn) or self.secret_arn


@dataclass(frozen=True, kw_only=True)
class CacheStore:
    """A Redis or Valkey in cluster mode."""

    host: str
    port: str
    auth: Literal["none", "iam", "password"]
    user: str | None = None
    cache_name: str | None = None
    secret_arn: str | None = None
    key_arn: str | None = None

    def environment(self) -> dict[str, str]:
        """Give the variables of a function that uses the cache."""
        told = {
            "GOCHAT_REDIS_HOST": self.host,
            "GOCHAT_REDIS_PORT": self.port,
            "GOCHAT_REDIS_AUTH": self.auth,
            "GOCHAT_REDIS_USER": self.user or "",
            "GOCHAT_REDIS_CACHE_NAME": self.cache_name or "",
        }
        return {**told, "GOCHAT_REDIS_SECRET_ARN": self.secret_arn} if self.secret_arn else told

    def may_connect(self) -> list[iam.PolicyStatement]:
        """Allow to log in to this cache as this user."""
        if self.auth != "iam":
            return may_read_secrets([self.secret_arn] if self.secret_arn else [], self.key_arn)
        here = f"arn:{Aws.PARTITION}:elasticache:{Aws.REGION}:{Aws.ACCOUNT_ID}"
        return [
            allow(["Connect"], [f"{here}:serverlesscache:{self.cache_name}", f"{here}:user:{self.user}"], "elasticache")
        ]


@dataclass(frozen=True, kw_only=True)
class Stores:
    """The three stores together."""

    kafka: KafkaStore
    database: DatabaseStore
    cache: CacheStore


def allow(actions: Sequence[str], resources: Sequence[str], service: str) -> iam.PolicyStatement:
    """Write a statement that allows actions of one service on the named resources."""
    return iam.PolicyStatement(actions=[f"{service}:{action}" for action in actions], resources=list(resources))


def may_log_in(resource_id: str, user: str) -> iam.PolicyStatement:
    """Allow to log in to an Aurora cluster or an RDS Proxy as one database user."""
    where = f"arn:{Aws.PARTITION}:rds-db:{Aws.REGION}:{Aws.ACCOUNT_ID}:dbuser:{resource_id}/{user}"
    return allow(["connect"], [where], "rds-db")


def may_look_up_brokers() -> iam.PolicyStatement:
    """Allow to ask for the addresses of brokers, an action that knows no resources.

    A statement that names a cluster would allow nothing (service authorization reference, "Actions, resources, and
    condition keys for Amazon Managed Streaming for Apache Kafka").
    """
    return allow(["GetBootstrapBrokers"], ["*"], "kafka")


def may_read_secrets(secret_arns: Sequence[str], key_arn: str | None) -> list[iam.PolicyStatement]:
    """Allow to read secrets, and to use the key that they are encrypted with, if it is the account's own."""
    if not secret_arns:
        return []
    read = allow(["GetSecretValue"], secret_arns, "secretsmanager")
    return [read, allow(["Decrypt"], [key_arn], "kms")] if key_arn else [read]


def may_use_key(key_arn: str | None) -> list[iam.PolicyStatement]:
    """Allow to read and write what is encrypted with the stage's own key, if it has one."""
    return [allow(["Decrypt", "GenerateDataKey"], [key_arn], "kms")] if key_arn else []


def may_use_network_interfaces() -> iam.PolicyStatement:
    """Allow what Lambda needs to stand in a VPC; none of these actions can be narrowed to a resource beforehand."""
    actions = ["CreateNetworkInterface", "DeleteNetworkInterface", "DescribeNetworkInterfaces"]
    actions += ["DescribeVpcs", "DescribeSubnets", "DescribeSecurityGroups"]
    actions += ["AssignPrivateIpAddresses", "UnassignPrivateIpAddresses"]
    return allow(actions, ["*"], "ec2")
