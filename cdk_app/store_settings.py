"""What the stores of a stage are: made by this app in these sizes, or existing ones with addresses and secrets."""

from dataclasses import dataclass
from typing import Literal

REFUSED_ZONE = "use1-az3"
"""Where MSK has no brokers (MSK developer guide, "VPC subnets for MSK clusters")."""


@dataclass(frozen=True, kw_only=True)
class Broker:
    """The managed MSK cluster."""

    kafka_version: str = "3.9.x.kraft"
    """`AWS::MSK::Topic` needs 3.6 or later; ZooKeeper clusters can never be moved to KRaft, so begin with it. With
    `kafka.t3.small` alone it is `3.9.x`: of KRaft MSK refuses that size ("Unsupported InstanceType specified. Valid
    values: [express.m7g.*, kafka.m5.*, kafka.m7g.*]"), which the developer guide nowhere says."""
    instance_type: str
    """`kafka.m7g.large` and the like: standard brokers. `express.m7g.large` and the like: Express brokers, with three
    times the throughput, storage that grows by itself, three zones, and three replicas of which two must be in sync
    (MSK developer guide, "Express brokers")."""
    brokers: int
    """A multiple of the number of zones."""
    volume_gib: int | None = None
    """EBS volume of each standard broker; None for Express, which has none."""

    def __post_init__(self) -> None:
        if self.is_express != (self.volume_gib is None):
            raise ValueError("standard brokers need volume_gib, Express brokers take none")
        if self.instance_type.startswith("kafka.t3.") and self.kafka_version.endswith(".kraft"):
            raise ValueError("MSK has no t3 brokers with KRaft: take 3.9.x, or kafka.m7g.large")

    @property
    def is_express(self) -> bool:
        """Whether these are Express brokers."""
        return self.instance_type.startswith("express.")


AURORA_VERSION = "8.0.mysql_aurora.3.10.4"
"""3.10 is the line with long-term support; 3.08 is the first that can pause. A later release replaces it in time: the
preflight asks the region whether it is still offered."""


SERVERLESS_REGIONS = frozenset(
    {
        *("us-east-1", "us-east-2", "us-west-2", "ca-central-1"),
        *("ap-south-1", "ap-southeast-1", "ap-southeast-2", "ap-northeast-1", "ap-northeast-2"),
        *("eu-central-1", "eu-north-1", "eu-west-1", "eu-west-2", "eu-west-3"),
    }
)
"""Where MSK Serverless is (MSK developer guide, "What is MSK Serverless?")."""


@dataclass(frozen=True, kw_only=True)
class ServerlessBroker:
    """MSK Serverless: no brokers to size, $0.75 an hour and $0.0015 a partition and hour, whoever writes.

    It scales up to 200 MB/s in and 400 MB/s out by itself, stands in two or three zones, takes IAM alone, keeps three
    replicas of which two must be in sync, and encrypts with a key of AWS's: `customer_key` does not reach it. Of a
    topic's configuration it lets `retention.ms` be set, and no replication (what it answers to others is told in
    strimzi/strimzi-kafka-operator, pull request 9606). CloudFormation can't make its topics, so repo-topics does.
    Many partitions are what makes it dear; more than 250 take more than 5 minutes to make. These figures are those of
    the developer guide's "MSK Serverless quota" as last known, not read again: look there before you rely on one.
    """

    max_partitions: int = 2_400
    """How many partitions the cluster leads: the account's quota, raised on request."""

    @property
    def is_express(self) -> bool:
        """Express brokers are another kind."""
        return False


@dataclass(frozen=True, kw_only=True)
class Database:
    """The managed Aurora MySQL cluster (Serverless v2)."""

    minimum_acu: float
    """0 lets the cluster pause; it resumes in 15 to 30 s with the next connection."""
    maximum_acu: float
    pause_after_s: int | None
    """Idle time until the cluster pauses: 300 to 86,400; None where the minimum is above 0."""
    readers: int
    wait_timeout_s: int
    """When the server drops an idle connection: frozen function containers must not keep a pausing cluster awake."""
    backup_days: int
    """How far back the cluster can be restored to any second: 1 to 35 days."""
    proxy: bool = False
    """RDS Proxy between functions and cluster: many containers share few connections. Billed for 8 ACU at least."""
    vault_days: int | None = None
    """How long daily copies in a backup vault are kept, which outlive the cluster itself; None: there are none."""
    restored_from: str | None = None
    """ARN of the snapshot, or of the vault's recovery point, that the cluster is made from; None: it began empty.
    Setting or changing it puts another cluster in the place of the present one; leave it as it is afterwards
    (docs/operations.md, "The cluster is gone")."""

    def __post_init__(self) -> None:
        if self.proxy and self.pause_after_s is not None:
            raise ValueError("a cluster behind RDS Proxy never pauses: its proxy keeps connections open")
        if self.restored_from and ":cluster-snapshot:" not in self.restored_from:
            raise ValueError("restored_from is the ARN of a cluster snapshot: arn:aws:rds:…:cluster-snapshot:…")


CACHE_ENGINES = {"valkey": "8", "redis": "7"}
"""The newest version of each engine that ElastiCache Serverless has (ElastiCache user guide, "Supported engines")."""


@dataclass(frozen=True, kw_only=True)
class Cache:
    """The managed ElastiCache Serverless cache; its limits are also the ceiling of its bill."""

    engine: Literal["valkey", "redis"] = "valkey"
    """`redis` is Redis OSS 7: costs a third more, and 1 GB at least instead of 0.1."""
    maximum_gb: int
    maximum_ecpu_per_second: int

    @property
    def major_version(self) -> str:
        """The engine's version."""
        return CACHE_ENGINES[self.engine]


Egress = Literal["endpoints", "nat", "ipv6"]
"""How functions in the VPC reach AWS: by interface endpoints alone ($7.30 a month for each and zone), by NAT gateways
($33 a month and zone, and $0.045 a GB), or by IPv6 through an egress-only gateway, which is free."""


@dataclass(frozen=True, kw_only=True)
class Managed:
    """Stores that this app creates and owns."""

    zone_ids: tuple[str, ...]
    """Zones by id, because names differ between accounts."""
    endpoint_zones: int
    """In how many of the zones the interface endpoints stand ($0.01 an hour each); others reach them across zones."""
    egress: Egress = "endpoints"
    broker: Broker | ServerlessBroker
    database: Database
    cache: Cache
    keep: bool
    """Whether the stores outlive their stacks and the stacks refuse deletion; the database refuses it in any case."""
    customer_key: bool = False
    """Whether database, broker, cache, files and secrets are encrypted with a key of this account's own, whose use can
    be read in CloudTrail and revoked. Decide before the first deployment: stores can't change their key."""

    def __post_init__(self) -> None:
        if REFUSED_ZONE in self.zone_ids:
            raise ValueError(f"MSK has no brokers in {REFUSED_ZONE}: choose another zone")
        if isinstance(self.broker, ServerlessBroker):
            if len(self.zone_ids) < 2:
                raise ValueError("MSK Serverless stands in two zones at least")
        elif self.broker.brokers % len(self.zone_ids):
            raise ValueError("brokers must be a multiple of the zones")
        if self.broker.is_express and len(self.zone_ids) != 3:
            raise ValueError("Express brokers stand in three zones")


@dataclass(frozen=True, kw_only=True)
class ExternalKafka:
    """A Kafka cluster that exists: MSK, or anything that speaks Kafka."""

    bootstrap: str | None = None
    """host:port,… for the chosen way to log in; None: a parameter of the stacks."""
    cluster_arn: str | None = None
    """Of an MSK cluster: event source mappings read it by this."""
    auth: Literal["none", "iam", "scram", "mtls"] = "none"
    """`iam` needs `cluster_arn`; `scram` is SCRAM-SHA-512. All but `none` imply TLS."""
    secret_arn: str | None = None
    """scram: `username`, `password`; mtls: `certificate`, `privateKey`, `privateKeyPassword` (Lambda developer guide,
    "Configuring cluster authentication methods"). MSK's own SCRAM secrets are named `AmazonMSK_…`."""
    ca_secret_arn: str | None = None
    """`certificate`: the root of a cluster whose certificates no public authority signs; not for MSK."""
    create_topics: bool = True
    """Whether each deployment makes, grows and sets up the topics (`cdk_app/topics.py`), with the login above: its user
    needs the ACLs CREATE, DESCRIBE, ALTER, DESCRIBE_CONFIGS and ALTER_CONFIGS on topics of the prefix `im-`. False:
    you make them, as the output TopicsToMake tells; the deployment looks, and fails while one is missing."""

    def __post_init__(self) -> None:
        if (self.auth in ("scram", "mtls")) != bool(self.secret_arn):
            raise ValueError("scram and mtls need secret_arn, and nothing else takes one")
        if self.auth == "iam" and not self.cluster_arn:
            raise ValueError("iam needs the cluster_arn of an MSK cluster")
        if self.cluster_arn and self.ca_secret_arn:
            raise ValueError("MSK's certificates are public: it takes no ca_secret_arn")


@dataclass(frozen=True, kw_only=True)
class ExternalDatabase:
    """A MySQL 8 server that exists, Aurora or not."""

    host: str | None = None
    """None: a parameter of the stacks, as is the port then."""
    reader_host: str | None = None
    """None: reads go to `host` too."""
    port: int = 3306
    auth: Literal["none", "iam", "password"] = "none"
    """All but `none` imply TLS."""
    user: str = "root"
    secret_arn: str | None = None
    """password: `password`, and `ca` (PEM) where no public or RDS authority signs the server's certificate."""
    migration_user: str | None = None
    """Who may change the schema; None: `user`."""
    migration_secret_arn: str | None = None
    resource_id: str | None = None
    """iam: `cluster-…` or `db-…` (`DbClusterResourceId`); the users must exist and be granted their rights."""

    def __post_init__(self) -> None:
        if (self.auth == "password") != bool(self.secret_arn):
            raise ValueError("password needs secret_arn, and nothing else takes one")
        if (self.auth == "iam") != bool(self.resource_id):
            raise ValueError("iam needs resource_id, and nothing else takes one")


@dataclass(frozen=True, kw_only=True)
class ExternalCache:
    """A Redis or Valkey in cluster mode that exists."""

    host: str | None = None
    """Any node, or the configuration endpoint; None: a parameter of the stacks, as is the port then."""
    port: int = 6379
    auth: Literal["none", "iam", "password"] = "none"
    """`iam` is for ElastiCache Serverless. All but `none` imply TLS."""
    user: str | None = None
    secret_arn: str | None = None
    """password: `password`, and `ca` (PEM) where no public authority signs the server's certificate."""
    cache_name: str | None = None
    """iam: the cache's name."""

    def __post_init__(self) -> None:
        if (self.auth == "password") != bool(self.secret_arn):
            raise ValueError("password needs secret_arn, and nothing else takes one")
        if self.auth == "iam" and not (self.cache_name and self.user):
            raise ValueError("iam needs cache_name and user")


@dataclass(frozen=True, kw_only=True)
class ExternalNetwork:
    """The VPC from which the stores can be reached."""

    vpc_id: str
    subnet_ids: tuple[str, ...]
    """Private ones. They need a way to Secrets Manager and, for on-demand mappings, to Lambda and STS: interface
    endpoints or NAT."""
    security_group_id: str
    """What functions and event pollers wear: it must be let in by the stores, and by itself on Kafka's port."""


@dataclass(frozen=True, kw_only=True)
class External:
    """Stores that exist already."""

    kafka: ExternalKafka = ExternalKafka()
    database: ExternalDatabase = ExternalDatabase()
    cache: ExternalCache = ExternalCache()
    network: ExternalNetwork | None = None
    """None: the stores are reached over the internet."""
    key_arn: str | None = None
    """The KMS key of the secrets, where they are encrypted with one of the account's own."""
