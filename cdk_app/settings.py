"""What may differ between stages, as types: each setting with its unit, its range and why one would change it."""

from dataclasses import dataclass
from typing import Literal


@dataclass(frozen=True, kw_only=True)
class Topics:
    """How many partitions the topics have; a topic's number of partitions can grow, never shrink.

    One partition is read by one invocation at a time, so the count is the ceiling of a consumer's parallelism.
    """

    upstream_partitions: int
    downstream_partitions: int
    downstream_bulk_partitions: int
    task_partitions: int
    push_partitions: int
    dead_letter_partitions: int
    replication_factor: int
    min_insync_replicas: int
    """With `acks=all` a write is acknowledged once this many replicas hold it: 1 can lose it with one broker."""
    retention_hours: int = 7 * 24


@dataclass(frozen=True, kw_only=True)
class Pollers:
    """Provisioned event pollers of one Kafka mapping; each is billed by the hour and reads up to 5 MB/s."""

    minimum: int
    maximum: int


@dataclass(frozen=True, kw_only=True)
class Mapping:
    """How one function consumes its topic."""

    batch_size: int
    """1 to 10,000 records; the payload's 6 MB cut a batch earlier."""
    pollers: Pollers | None
    """None: on-demand mode, which knows neither partial batch responses nor retry caps (Lambda developer guide,
    "Configuring error handling controls for Kafka event sources")."""


@dataclass(frozen=True, kw_only=True)
class Mappings:
    """The Kafka event source mappings."""

    upstream: Mapping
    worker: Mapping
    push: Mapping
    deliver: Mapping
    deliver_bulk: Mapping

    @property
    def on_demand(self) -> bool:
        """Whether any mapping polls on demand: those reach Lambda from inside the VPC, through its endpoints."""
        every = (self.upstream, self.worker, self.push, self.deliver, self.deliver_bulk)
        return any(mapping.pollers is None for mapping in every)


@dataclass(frozen=True, kw_only=True)
class Broker:
    """The managed MSK cluster."""

    kafka_version: str = "3.9.x.kraft"
    """`AWS::MSK::Topic` needs 3.6 or later; ZooKeeper clusters can never be moved to KRaft, so begin with it."""
    instance_type: str
    brokers: int
    """A multiple of the number of zones."""
    volume_gib: int


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


@dataclass(frozen=True, kw_only=True)
class Cache:
    """The managed ElastiCache Serverless cache; its limits are also the ceiling of its bill."""

    engine: Literal["valkey", "redis"] = "valkey"
    major_version: str = "8"
    maximum_gb: int
    maximum_ecpu_per_second: int


@dataclass(frozen=True, kw_only=True)
class Managed:
    """Stores that this app creates and owns."""

    zone_ids: tuple[str, ...]
    """Zones by id, because names differ between accounts; MSK refuses use1-az3 (MSK developer guide, "VPC subnets")."""
    endpoint_zones: int
    """In how many of the zones the interface endpoints stand ($0.01 an hour each); others reach them across zones."""
    broker: Broker
    database: Database
    cache: Cache
    keep: bool
    """Whether the stores outlive their stacks and the stacks refuse deletion; the database refuses it in any case."""


@dataclass(frozen=True, kw_only=True)
class External:
    """Stores that exist already: their addresses come as CloudFormation parameters, without TLS or authentication."""


@dataclass(frozen=True, kw_only=True)
class Throttle:
    """Requests a second of one API stage and the burst above it; the account's quota is shared by all of them."""

    rate: int
    burst: int


@dataclass(frozen=True, kw_only=True)
class Sweeps:
    """The functions that run every minute: they tell who went offline, redrive, check connections and clean up."""

    on: bool
    """Off, their schedules are there and disabled: they would keep a database that pauses awake."""
    offline_after_s: int = 30
    """How long somebody may be gone before it is told; the sweep adds up to a minute."""
    connection_check_minutes: float = 15
    """How long a connection is believed in without asking API Gateway for it."""


@dataclass(frozen=True, kw_only=True)
class Stage:
    """Everything that sets one deployment apart from another."""

    name: Literal["local", "dev", "prod"]
    account: str | None
    """None: the account of the credentials that deploy."""
    region: str
    stores: Managed | External
    topics: Topics
    mappings: Mappings
    cells: tuple[str, ...] = ("g1",)
    """Ids of the gateway cells; the first one serves the HTTP API too."""
    log_level: str = "INFO"
    log_retention_days: Literal[1, 14, 90]
    websocket_throttle: Throttle
    http_throttle: Throttle
    sweeps: Sweeps
    contacts_only: bool = False
    """Whether friends alone may write to each other; else anyone may write to anyone who has not blocked them."""
    max_group_members: int = 100_000
    large_group_members: int = 100
    """From so many members on the worker tells a group's members, in pages, and nobody is told of typing and receipts.
    Lower: messages of smaller groups cost `upstream` less and take a step more. A group that was large stays so."""
    push_applications: tuple[tuple[Literal["apns", "fcm"], str], ...] = ()
    """(kind of token, ARN of your SNS platform application); pushes of other kinds are written to the log."""
    web_push_contact: str | None = None
    """Where push services of browsers reach you, `mailto:ops@example.org`; None: pushes to browsers go to the log."""
    message_retention_days: float | None = None
    """How long messages keep their content; None: for ever."""
    web_origins: tuple[str, ...] = ()
    """Origins of web clients, `https://chat.example.org`; `*` lets in pages of any, none keeps browsers out. The tokens
    of a login travel in a header and never in a cookie, so no page can use those of another."""
    media_types: tuple[str, ...] = ()
    media_max_bytes: int | None = None  # both: none means the defaults of functions/logic/rpc/settings.py
    memory_mib: int
    """Memory of the functions, and with it their share of a CPU: 1,769 MiB is one (Lambda developer guide)."""
    reserved_concurrency: tuple[tuple[str, int], ...] = ()
    """(function, invocations) taken out of the account's quota: caps the connections that the stores see."""
    on_emulator: bool = False
    """Whether it runs on the local AWS: pinned API ids, wheels and byte code of this machine's interpreter."""

    @property
    def prefix(self) -> str:
        """What the names of this stage's resources begin with."""
        return f"gochat-{self.name}"
