"""What functions are told of Kafka, MySQL and Redis, and what they may do there: managed and external stores alike."""

from collections.abc import Sequence
from dataclasses import dataclass

from aws_cdk import Aws, CfnParameter, Fn, Stack
from aws_cdk import aws_iam as iam

DATABASE = "gochat"
APP_USER = "gochat_app"
MIGRATION_USER = "gochat_migration"


@dataclass(frozen=True, kw_only=True)
class KafkaStore:
    """A Kafka cluster; without an ARN it is somebody else's, reached without authentication."""

    bootstrap: str
    cluster_arn: str | None

    def environment(self) -> dict[str, str]:
        """Give the variables of a function that produces."""
        return {"GOCHAT_KAFKA_BOOTSTRAP": self.bootstrap, "GOCHAT_KAFKA_AUTH": "iam" if self.cluster_arn else "none"}

    def may_produce(self, topics: Sequence[str]) -> list[iam.PolicyStatement]:
        """Allow the idempotent producer to write to these topics."""
        if not self.cluster_arn:
            return []
        return [
            allow(["Connect", "DescribeCluster", "WriteDataIdempotently"], [self.cluster_arn], "kafka-cluster"),
            allow(["DescribeTopic", "WriteData"], [self._arn("topic", topic) for topic in topics], "kafka-cluster"),
        ]

    def may_consume(self, topic: str, group: str) -> list[iam.PolicyStatement]:
        """Allow an event source mapping to read a topic in a group.

        CDK's own construct grants none of the `kafka-cluster` actions. The network interfaces are the pollers', which
        Lambda puts into the cluster's subnets; those actions know no resources (Lambda developer guide, "Configuring
        Amazon MSK permissions").
        """
        if not self.cluster_arn:
            return []
        return [
            allow(["DescribeCluster", "DescribeClusterV2", "GetBootstrapBrokers"], [self.cluster_arn], "kafka"),
            allow(["Connect", "DescribeCluster"], [self.cluster_arn], "kafka-cluster"),
            allow(["DescribeTopic", "ReadData"], [self._arn("topic", topic)], "kafka-cluster"),
            allow(["AlterGroup", "DescribeGroup"], [self._arn("group", group)], "kafka-cluster"),
            may_use_network_interfaces(),
        ]

    def _arn(self, kind: str, name: str) -> str:
        """Derive the ARN of a topic or group: the cluster's `name/uuid` with the name behind it."""
        assert self.cluster_arn is not None
        cluster = Fn.select(1, Fn.split(":cluster/", self.cluster_arn))
        return f"arn:{Aws.PARTITION}:kafka:{Aws.REGION}:{Aws.ACCOUNT_ID}:{kind}/{cluster}/{name}"


@dataclass(frozen=True, kw_only=True)
class DatabaseStore:
    """A MySQL database; with a resource id it is ours, guarded by IAM and TLS."""

    host: str
    reader_host: str
    port: str
    resource_id: str | None

    def user(self, *, migrates: bool) -> str:
        """Name the database user of a function; an external database is used as its root."""
        if not self.resource_id:
            return "root"
        return MIGRATION_USER if migrates else APP_USER

    def environment(self, *, migrates: bool = False) -> dict[str, str]:
        """Give the variables of a function that speaks SQL."""
        return {
            "GOCHAT_MYSQL_HOST": self.host,
            "GOCHAT_MYSQL_READER_HOST": self.reader_host,
            "GOCHAT_MYSQL_PORT": self.port,
            "GOCHAT_MYSQL_USER": self.user(migrates=migrates),
            "GOCHAT_MYSQL_DATABASE": DATABASE,
            "GOCHAT_MYSQL_AUTH": "iam" if self.resource_id else "none",
        }

    def may_connect(self, *, migrates: bool = False) -> list[iam.PolicyStatement]:
        """Allow to log in as the function's own database user."""
        if not self.resource_id:
            return []
        user = self.user(migrates=migrates)
        where = f"arn:{Aws.PARTITION}:rds-db:{Aws.REGION}:{Aws.ACCOUNT_ID}:dbuser:{self.resource_id}/{user}"
        return [allow(["connect"], [where], "rds-db")]


@dataclass(frozen=True, kw_only=True)
class CacheStore:
    """A Redis or Valkey in cluster mode; with a cache name it is ours, guarded by IAM and TLS."""

    host: str
    port: str
    user: str | None
    cache_name: str | None

    def environment(self) -> dict[str, str]:
        """Give the variables of a function that uses the cache."""
        return {
            "GOCHAT_REDIS_HOST": self.host,
            "GOCHAT_REDIS_PORT": self.port,
            "GOCHAT_REDIS_AUTH": "iam" if self.cache_name else "none",
            "GOCHAT_REDIS_USER": self.user or "",
            "GOCHAT_REDIS_CACHE_NAME": self.cache_name or "",
        }

    def may_connect(self) -> list[iam.PolicyStatement]:
        """Allow to log in to this cache as this user."""
        if not self.cache_name:
            return []
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


def may_use_network_interfaces() -> iam.PolicyStatement:
    """Allow what Lambda needs to stand in a VPC; none of these actions can be narrowed to a resource beforehand."""
    actions = ["CreateNetworkInterface", "DeleteNetworkInterface", "DescribeNetworkInterfaces"]
    actions += ["DescribeVpcs", "DescribeSubnets", "DescribeSecurityGroups"]
    actions += ["AssignPrivateIpAddresses", "UnassignPrivateIpAddresses"]
    return allow(actions, ["*"], "ec2")


def external_stores(stack: Stack) -> Stores:
    """Declare the addresses of external stores as parameters of a stack.

    Each stack has its own: values handed on from one stack to the next are exports, and CloudFormation refuses to
    change an export that is in use, so a moved port could never be deployed. Parameters also keep the synthesized
    templates the same whatever the ports are.
    """

    def parameter(name: str, description: str, default: str | None = None) -> str:
        return CfnParameter(stack, name, type="String", description=description, default=default).value_as_string

    mysql_host = parameter("MysqlHost", "Host of the MySQL server")
    return Stores(
        kafka=KafkaStore(
            bootstrap=parameter("KafkaBootstrap", "Kafka's bootstrap servers, host:port,…"), cluster_arn=None
        ),
        database=DatabaseStore(
            host=mysql_host,
            reader_host=mysql_host,
            port=parameter("MysqlPort", "Port of the MySQL server", "3306"),
            resource_id=None,
        ),
        cache=CacheStore(
            host=parameter("RedisHost", "Host of a node of the Redis or Valkey cluster"),
            port=parameter("RedisPort", "Its port", "6379"),
            user=None,
            cache_name=None,
        ),
    )
