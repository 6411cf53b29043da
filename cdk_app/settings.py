"""What may differ between stages, as types: each setting with its unit, its range and why one would change it."""

from dataclasses import dataclass, field
from hashlib import sha256
from typing import Literal

from cdk_app.alarm_settings import Thresholds
from cdk_app.store_settings import SERVERLESS_REGIONS, External, Managed, ServerlessBroker

STAGE_TAG = "gochat:stage"
"""What every resource is tagged with, for bills and for finding them."""


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
    """3 where brokers are Express or serverless, which decide it themselves, and 2 of them in sync."""
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
    shared_pollers: bool = False
    """Whether the provisioned pollers of all mappings form one group, which shares its capacity: cheaper than a poller
    unit for each (Lambda API reference, "ProvisionedPollerConfig": up to 100 mappings of a VPC, 2,000 pollers)."""

    @property
    def on_demand(self) -> bool:
        """Whether any mapping polls on demand: those reach Lambda from inside the VPC, through its endpoints."""
        every = (self.upstream, self.worker, self.push, self.deliver, self.deliver_bulk)
        return any(mapping.pollers is None for mapping in every)


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
    audit: bool
    """Whether the loss audit runs with them: once a minute it looks whether all that changed adds up in the database
    (docs/operations.md, "Loss audit")."""
    offline_after_s: int = 30
    """How long somebody may be gone before it is told; the sweep adds up to a minute."""
    connection_check_minutes: float = 15
    """How long a connection is believed in without asking API Gateway for it."""


@dataclass(frozen=True, kw_only=True)
class Canary:
    """Two users who exist for this alone and write to each other by the clock, over every door that clients have."""

    every_minutes: int = 5
    """1 to 60; each run costs some thousandths of a cent, and keeps a database that pauses awake."""
    on: bool = True
    """Off, its schedule is there and disabled: it is invoked by hand."""

    def __post_init__(self) -> None:
        if not 1 <= self.every_minutes <= 60:
            raise ValueError("a canary sings every 1 to 60 minutes")


@dataclass(frozen=True, kw_only=True)
class LogicAlias:
    """An alias of im-logic's gRPC function, which callers find in the registry by its weight."""

    name: str
    weight: int
    """Its share of the calls beside the others' weights: 90 and 10 send every tenth call to a canary."""
    version: str = "$LATEST"
    """A published version, to go on serving it while the canary has what was deployed last."""


@dataclass(frozen=True, kw_only=True)
class Domains:
    """Names of your own for the APIs, instead of `….execute-api.….amazonaws.com`."""

    http: str
    websocket: str
    """Another one: API Gateway maps HTTP and WebSocket APIs to one name never (API Gateway developer guide, "Custom
    domain names for WebSocket APIs"). Each cell is a path below it."""
    certificate_arn: str
    """A certificate of ACM in the stage's region that is good for both names."""
    hosted_zone_id: str | None = None
    """The public zone in Route 53 that both names lie in; None: you point them at the outputs yourself."""
    zone_name: str | None = None
    web: str | None = None
    """The name of the web page (`web_page`), if it is to have one of its own."""
    web_certificate_arn: str | None = None
    """A certificate that is good for it, of ACM in us-east-1, wherever the stage is (CloudFront developer guide,
    "Requirements for using SSL/TLS certificates with CloudFront")."""

    def __post_init__(self) -> None:
        if self.http == self.websocket:
            raise ValueError("the HTTP API and the WebSocket APIs need different names")
        if bool(self.web) != bool(self.web_certificate_arn):
            raise ValueError("web and web_certificate_arn go together")
        if bool(self.hosted_zone_id) != bool(self.zone_name):
            raise ValueError("hosted_zone_id and zone_name go together")


@dataclass(frozen=True, kw_only=True)
class Release:
    """How new code reaches those who call it.

    A stage that stands without has an alias `live` already, on the code itself, from which CodeDeploy can't move it:
    give `logic_aliases` another name in one deployment, then `release` and `live` in the next.
    """

    canary: Literal["CANARY_10PERCENT_5MINUTES", "CANARY_10PERCENT_15MINUTES", "LINEAR_10PERCENT_EVERY_1MINUTE"]
    """CodeDeploy sends this share of calls to the new version for this long, then all; an alarm takes it back."""
    functions: tuple[str, ...]
    """Whose calls are shifted; the others are replaced at once."""


@dataclass(frozen=True, kw_only=True)
class Stage:
    """Everything that sets one deployment apart from another."""

    name: Literal["local", "dev", "prod", "external"]
    account: str | None
    """None: the account of the credentials that deploy."""
    region: str
    stores: Managed | External
    topics: Topics
    mappings: Mappings
    cells: tuple[str, ...] = ("g1",)
    """Ids of the gateway cells; the first one is where clients go that the registry tells nothing."""
    cell_weights: tuple[tuple[str, int], ...] = ()
    """(cell, its share of new clients), 0 to 1,000; 100 where none is told."""
    draining_cells: tuple[str, ...] = ()
    """Cells whose clients are moved to the others; take a cell out of `cells` once it holds no connection any more."""
    logic_aliases: tuple[LogicAlias, ...] = (LogicAlias(name="live", weight=100),)
    """The first one is what callers fall back to while the registry tells nothing."""
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
    web_page: bool = False
    """Whether CloudFront serves the page in web/ (stack Web), which takes minutes to deploy and to remove."""
    media_types: tuple[str, ...] = ()
    media_max_bytes: int | None = None  # both: none means the defaults of functions/logic/rpc/settings.py
    memory_mib: int
    """Memory of the functions, and with it their share of a CPU: 1,769 MiB is one (Lambda developer guide)."""
    reserved_concurrency: tuple[tuple[str, int], ...] = ()
    """(function, invocations) taken out of the account's quota: caps the connections that the stores see."""
    release: Release | None = None
    """None: new code replaces the old at once."""
    domains: Domains | None = None
    canary: Canary | None = None
    """None: there is none, and nobody notices an outage but its users and the alarms on what they cause."""
    tracing: Literal["sampled", "off"] = "sampled"
    """`sampled`: X-Ray traces one invocation of each function a second and 5 % of the others, which AWS has fixed;
    `off`: none, where those 5 % cost too much. Trace ids stand in the logs in any case."""
    alarms: Literal["consumers", "all"] = "all"
    """Which alarms there are ($0.10 a month each): those of whoever reads a topic, or of everything."""
    thresholds: Thresholds = field(default_factory=Thresholds)
    """From where on something is an alarm."""
    alarm_email: str | None = None
    """Who is told by mail of alarms, once the address has confirmed; None: subscribe to the stage's topic yourself."""
    page_email: str | None = None
    """Who is told of the one alarm that is worth waking somebody for, `StageIsUnwell`; None: subscribe yourself."""
    on_emulator: bool = False
    """Whether it runs on the local AWS: pinned API ids, wheels and byte code of this machine's interpreter."""

    def __post_init__(self) -> None:
        if self.web_page and not self.origins:
            raise ValueError("web_page needs a name in domains.web, or web_origins that let it call the API")
        if self.serverless_broker and self.region not in SERVERLESS_REGIONS:
            raise ValueError(f"there is no MSK Serverless in {self.region}")

    @property
    def express_broker(self) -> bool:
        """Whether Kafka has Express brokers, which let no topic set its replicas or how many must be in sync.

        MSK developer guide, "Topic-level configurations on Express Brokers".
        """
        return isinstance(self.stores, Managed) and self.stores.broker.is_express

    @property
    def origins(self) -> tuple[str, ...]:
        """Which pages may call: those that are named, and the stage's own where it has a name."""
        own = self.domains.web if self.web_page and self.domains else None
        return (*self.web_origins, f"https://{own}") if own and "*" not in self.web_origins else self.web_origins

    @property
    def serverless_broker(self) -> bool:
        """Whether Kafka is MSK Serverless of this app's own."""
        return isinstance(self.stores, Managed) and isinstance(self.stores.broker, ServerlessBroker)

    @property
    def makes_topics_by_function(self) -> bool:
        """Whether repo-topics makes them: CloudFormation does so on provisioned MSK of this app's own alone."""
        return self.serverless_broker or isinstance(self.stores, External)

    @property
    def poller_group(self) -> str | None:
        """The name of the group that all provisioned pollers belong to."""
        return self.prefix if self.mappings.shared_pollers else None

    @property
    def keep(self) -> bool:
        """Whether what holds data outlives its stack."""
        return isinstance(self.stores, Managed) and self.stores.keep

    @property
    def database_name(self) -> str:
        """The identifier of the managed cluster; a restored one has another than what it takes the place of, because
        CloudFormation never replaces a resource by one of the same given name.
        """
        source = self.stores.database.restored_from if isinstance(self.stores, Managed) else None
        return f"{self.prefix}-{sha256(source.encode()).hexdigest()[:8]}" if source else self.prefix

    @property
    def prefix(self) -> str:
        """What the names of this stage's resources begin with."""
        return f"gochat-{self.name}"
