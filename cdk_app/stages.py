"""The stages: the one place to change a size, a limit or a region."""

from dataclasses import replace

from cdk_app.settings import Canary, Mapping, Mappings, Pollers, Release, Stage, Sweeps, Throttle, Topics
from cdk_app.store_settings import (
    Broker,
    Cache,
    Database,
    External,
    ExternalCache,
    ExternalDatabase,
    ExternalKafka,
    ExternalNetwork,
    Managed,
)

_LOCAL_POLLERS = Pollers(minimum=1, maximum=2)

LOCAL = Stage(
    name="local",
    account="000000000000",
    region="us-east-1",
    stores=External(),
    topics=Topics(
        upstream_partitions=4,
        downstream_partitions=4,
        downstream_bulk_partitions=4,
        task_partitions=4,
        push_partitions=4,
        dead_letter_partitions=1,
        replication_factor=1,
        min_insync_replicas=1,
    ),
    mappings=Mappings(
        upstream=Mapping(batch_size=300, pollers=_LOCAL_POLLERS),
        worker=Mapping(batch_size=20, pollers=_LOCAL_POLLERS),
        push=Mapping(batch_size=100, pollers=_LOCAL_POLLERS),
        deliver=Mapping(batch_size=100, pollers=_LOCAL_POLLERS),
        deliver_bulk=Mapping(batch_size=20, pollers=_LOCAL_POLLERS),
    ),
    log_retention_days=1,
    websocket_throttle=Throttle(rate=10_000, burst=5_000),
    http_throttle=Throttle(rate=10_000, burst=5_000),
    web_origins=("*",),
    sweeps=Sweeps(on=True, audit=True, connection_check_minutes=1),
    canary=Canary(on=False),
    memory_mib=512,
    on_emulator=True,
)

DEV = Stage(
    name="dev",
    account=None,
    region="us-east-1",
    stores=Managed(
        zone_ids=("use1-az1", "use1-az2"),
        endpoint_zones=1,
        # The smallest cluster there is. Its brokers take about 4 new IAM connections a second.
        broker=Broker(instance_type="kafka.t3.small", kafka_version="3.9.x", brokers=2, volume_gib=20),
        database=Database(minimum_acu=0, maximum_acu=2, pause_after_s=300, readers=0, wait_timeout_s=60, backup_days=1),
        cache=Cache(maximum_gb=1, maximum_ecpu_per_second=5_000),
        keep=False,
    ),
    # Two brokers: with a minimum of 2 in-sync replicas every broker restart would stop all writes. With 1, a message
    # that was acknowledged while one broker was down is lost if the other one dies before it has caught up.
    topics=Topics(
        upstream_partitions=6,
        downstream_partitions=6,
        downstream_bulk_partitions=6,
        task_partitions=6,
        push_partitions=6,
        dead_letter_partitions=1,
        replication_factor=2,
        min_insync_replicas=1,
    ),
    mappings=Mappings(
        upstream=Mapping(batch_size=300, pollers=None),
        worker=Mapping(batch_size=20, pollers=None),
        push=Mapping(batch_size=100, pollers=None),
        deliver=Mapping(batch_size=100, pollers=None),
        deliver_bulk=Mapping(batch_size=20, pollers=None),
    ),
    log_retention_days=14,
    websocket_throttle=Throttle(rate=500, burst=500),
    http_throttle=Throttle(rate=200, burst=200),
    web_origins=("*",),
    sweeps=Sweeps(on=False, audit=False),
    alarms="consumers",
    memory_mib=512,
)

PROD = Stage(
    name="prod",
    account=None,
    region="us-east-1",
    stores=Managed(
        zone_ids=("use1-az1", "use1-az2", "use1-az4"),
        endpoint_zones=3,
        broker=Broker(instance_type="kafka.m7g.large", brokers=3, volume_gib=500),
        database=Database(
            minimum_acu=1,
            maximum_acu=64,
            pause_after_s=None,
            readers=1,
            wait_timeout_s=900,
            backup_days=14,
            proxy=True,
            vault_days=35,
        ),
        cache=Cache(maximum_gb=100, maximum_ecpu_per_second=300_000),
        keep=True,
        customer_key=True,
    ),
    topics=Topics(
        upstream_partitions=48,
        downstream_partitions=48,
        downstream_bulk_partitions=48,
        task_partitions=48,
        push_partitions=48,
        dead_letter_partitions=3,
        replication_factor=3,
        min_insync_replicas=2,
    ),
    mappings=Mappings(
        upstream=Mapping(batch_size=300, pollers=Pollers(minimum=2, maximum=24)),
        worker=Mapping(batch_size=20, pollers=Pollers(minimum=1, maximum=24)),
        push=Mapping(batch_size=100, pollers=Pollers(minimum=1, maximum=24)),
        deliver=Mapping(batch_size=100, pollers=Pollers(minimum=2, maximum=24)),
        deliver_bulk=Mapping(batch_size=20, pollers=Pollers(minimum=1, maximum=24)),
        shared_pollers=True,
    ),
    log_retention_days=90,
    # Callbacks spend the same 10,000 requests a second of the account as frames do: leave them room.
    websocket_throttle=Throttle(rate=4_000, burst=2_000),
    http_throttle=Throttle(rate=2_000, burst=1_000),
    sweeps=Sweeps(on=True, audit=True),
    canary=Canary(every_minutes=5),
    memory_mib=1_769,
    # A third of the default quota of 1,000. An M-class broker takes 100 new IAM connections a second.
    reserved_concurrency=(
        ("gateway-websocket", 200),
        ("logic-upstream", 48),
        ("task-worker", 48),
        ("gateway-deliver", 48),
        ("gateway-deliver-bulk", 48),
    ),
    # What stands between a client's frame and its delivery; sweeps and pushes are replaced at once.
    release=Release(
        canary="CANARY_10PERCENT_5MINUTES",
        functions=(
            "gateway-authorize",
            "gateway-websocket",
            "gateway-http",
            "gateway-deliver",
            "gateway-deliver-bulk",
            "logic-rpc",
            "logic-upstream",
        ),
    ),
)

# Put your own addresses, ARNs and ids here: these are examples, of an account and a domain that belong to nobody.
EXTERNAL = Stage(
    name="external",
    account=None,
    region="us-east-1",
    stores=External(
        kafka=ExternalKafka(
            bootstrap="b-1.kafka.example.org:9096,b-2.kafka.example.org:9096,b-3.kafka.example.org:9096",
            auth="scram",
            secret_arn="arn:aws:secretsmanager:us-east-1:111122223333:secret:AmazonMSK_gochat-AbCdEf",
        ),
        database=ExternalDatabase(
            host="mysql.example.org",
            reader_host="mysql-reader.example.org",
            auth="password",
            user="gochat_app",
            secret_arn="arn:aws:secretsmanager:us-east-1:111122223333:secret:gochat/mysql-app-AbCdEf",
            migration_user="gochat_migration",
            migration_secret_arn="arn:aws:secretsmanager:us-east-1:111122223333:secret:gochat/mysql-migration-AbCdEf",
        ),
        cache=ExternalCache(
            host="redis.example.org",
            auth="password",
            user="gochat",
            secret_arn="arn:aws:secretsmanager:us-east-1:111122223333:secret:gochat/redis-AbCdEf",
        ),
        network=ExternalNetwork(
            vpc_id="vpc-0123456789abcdef0",
            subnet_ids=("subnet-0123456789abcdef0", "subnet-0123456789abcdef1"),
            security_group_id="sg-0123456789abcdef0",
        ),
        key_arn="arn:aws:kms:us-east-1:111122223333:key/01234567-89ab-cdef-0123-456789abcdef",
    ),
    topics=Topics(
        upstream_partitions=24,
        downstream_partitions=24,
        downstream_bulk_partitions=24,
        task_partitions=24,
        push_partitions=24,
        dead_letter_partitions=3,
        replication_factor=3,
        min_insync_replicas=2,
    ),
    mappings=Mappings(
        upstream=Mapping(batch_size=300, pollers=Pollers(minimum=1, maximum=12)),
        worker=Mapping(batch_size=20, pollers=Pollers(minimum=1, maximum=12)),
        push=Mapping(batch_size=100, pollers=Pollers(minimum=1, maximum=12)),
        deliver=Mapping(batch_size=100, pollers=Pollers(minimum=1, maximum=12)),
        deliver_bulk=Mapping(batch_size=20, pollers=Pollers(minimum=1, maximum=12)),
        shared_pollers=True,
    ),
    log_retention_days=90,
    websocket_throttle=Throttle(rate=2_000, burst=1_000),
    http_throttle=Throttle(rate=1_000, burst=500),
    sweeps=Sweeps(on=True, audit=True),
    canary=Canary(every_minutes=5),
    memory_mib=1_769,
)

MAX_CELLS = 9
"""Ids stay two characters long, as names of resources have few to spare; more cells are listed in `Stage.cells`."""

_STAGES = {stage.name: stage for stage in (LOCAL, DEV, PROD, EXTERNAL)}


def find_stage(name: str) -> Stage:
    """Return the stage of this name; raises ValueError naming the stages there are."""
    for known, stage in _STAGES.items():
        if known == name:
            return stage
    raise ValueError(f"there is no stage {name!r}: choose one of {', '.join(_STAGES)}")


def with_cells(stage: Stage, count: int) -> Stage:
    """Return the stage with so many gateway cells, `g1` first; raises ValueError for none or too many."""
    if not 1 <= count <= MAX_CELLS:
        raise ValueError(f"a stage has 1 to {MAX_CELLS} gateways, not {count}")
    return replace(stage, cells=tuple(f"g{number}" for number in range(1, count + 1)))
