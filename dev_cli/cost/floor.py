"""What a stage costs by being there, whether anybody writes or not."""

from cdk_app.settings import Stage
from cdk_app.store_settings import Broker, Cache, Managed
from cdk_app.topics import plan_topics
from dev_cli.cost import prices
from dev_cli.cost.fixtures import Fixtures, count_fixtures
from dev_cli.cost.lines import HOURS, Line
from dev_cli.failure import Failure

AWAKE_ACU = 0.5
"""The least that an Aurora cluster which may pause has while it is awake."""

CACHE_MINIMUM_GB = {"valkey": 0.1, "redis": 1.0}

PROXY_MINIMUM_ACU = 8.0

POLLS_OF_QUEUE = 5 * HOURS * 3600 / 20
"""Lambda's five pollers, each asking every 20 s (Lambda developer guide, "Polling and batching")."""

SWEEP_RUNS = HOURS * 60
SWEEP_S = 0.1

CANARY_S = 3.0
"""A run of the canary: some ten calls and six frames over the internet, most of it waiting. What it makes the stage do
is what two users do who write three messages."""


def floor_of(stage: Stage, *, awake: bool = False) -> list[Line]:
    """List what is billed by time; `awake`: a database that may pause never does, because somebody is always on."""
    fixtures = count_fixtures(stage)
    lines = [*_watching(fixtures), *_pollers(fixtures), *_sweeps(stage, fixtures)]
    if isinstance(stage.stores, Managed):
        lines += [*_broker(stage, stage.stores), *_database(stage.stores, fixtures, awake=awake)]
        lines += [_cache(stage.stores.cache), *_network(fixtures)]
    return [line for line in lines if line.quantity]


def _broker(stage: Stage, stores: Managed) -> list[Line]:
    broker = stores.broker
    if not isinstance(broker, Broker):
        return _serverless(stage)
    hourly = prices.BROKER_HOURS.get(broker.instance_type)
    if hourly is None:
        raise Failure(
            f"the price file has no price of {broker.instance_type}.",
            advice="Add it to BROKER_HOURS in dev_cli/cost/prices.py, with its source.",
        )
    hours = Line(
        key="msk-brokers",
        title=f"MSK: {broker.brokers} brokers {broker.instance_type}",
        quantity=broker.brokers * HOURS,
        price=hourly,
    )
    volumes = Line(
        key="msk-storage",
        title=f"MSK: {broker.volume_gib} GiB on each broker",
        quantity=float(broker.brokers * (broker.volume_gib or 0)),
        price=prices.BROKER_STORAGE,
    )
    return [hours, volumes]


def _serverless(stage: Stage) -> list[Line]:
    partitions = sum(plan.partitions for plan in plan_topics(stage))
    return [
        Line(key="msk-brokers", title="MSK Serverless: the cluster", quantity=HOURS, price=prices.SERVERLESS_HOURS),
        Line(
            key="msk-brokers",
            title=f"MSK Serverless: {partitions} partitions",
            quantity=partitions * HOURS,
            price=prices.SERVERLESS_PARTITIONS,
        ),
    ]


def _database(stores: Managed, fixtures: Fixtures, *, awake: bool) -> list[Line]:
    database = stores.database
    least = max(database.minimum_acu, AWAKE_ACU) if awake else database.minimum_acu
    count = fixtures.database_instances
    lines = [
        Line(
            key="aurora-capacity",
            title=f"Aurora: {count} times {least:g} ACU at least",
            quantity=count * least * HOURS,
            price=prices.AURORA_CAPACITY,
        )
    ]
    if database.proxy:
        lines.append(
            Line(
                key="rds-proxy",
                title="RDS Proxy",
                quantity=max(PROXY_MINIMUM_ACU, count * database.minimum_acu) * HOURS,
                price=prices.RDS_PROXY,
            )
        )
    if database.proxy and database.readers:
        lines.append(
            Line(
                key="proxy-endpoint",
                title="RDS Proxy's second endpoint, to the readers",
                quantity=len(stores.zone_ids) * HOURS,
                price=prices.PROXY_ENDPOINT,
            )
        )
    return lines


def _cache(cache: Cache) -> Line:
    least = CACHE_MINIMUM_GB[cache.engine]
    return Line(
        key="cache-storage",
        title=f"ElastiCache Serverless ({cache.engine}): {least:g} GB at least",
        quantity=least * HOURS,
        price=prices.CACHE_STORAGE[cache.engine],
    )


def _network(fixtures: Fixtures) -> list[Line]:
    endpoints, gateways = fixtures.endpoint_zones, fixtures.nat_gateways
    return [
        Line(
            key="endpoints",
            title=f"Interface endpoints: {endpoints} (endpoints times zones)",
            quantity=endpoints * HOURS,
            price=prices.INTERFACE_ENDPOINT,
        ),
        Line(key="nat", title=f"NAT gateways: {gateways}", quantity=gateways * HOURS, price=prices.NAT_GATEWAY),
        Line(
            key="nat-addresses",
            title=f"Public addresses of the NAT gateways: {gateways}",
            quantity=gateways * HOURS,
            price=prices.PUBLIC_ADDRESS,
        ),
    ]


def _pollers(fixtures: Fixtures) -> list[Line]:
    units = fixtures.poller_units
    title = f"Lambda event poller units: {units}"
    return [Line(key="pollers", title=title, quantity=units * HOURS, price=prices.EVENT_POLLER_UNIT)]


def _watching(fixtures: Fixtures) -> list[Line]:
    def pieces(key: str, name: str, count: int, price: prices.Price) -> Line:
        return Line(key=key, title=f"{name}: {count}", quantity=float(count), price=price)

    return [
        pieces("secrets", "Secrets", fixtures.secrets, prices.SECRET),
        pieces("keys", "KMS keys", fixtures.keys, prices.KEY),
        pieces("discovery", "Names in Cloud Map", fixtures.registered, prices.HOSTED_NAMES),
        pieces("metrics", "CloudWatch custom metrics, at most", fixtures.custom_metrics, prices.CUSTOM_METRIC),
        pieces("alarms", "CloudWatch alarms, by metric", fixtures.alarms, prices.ALARM),
        pieces("alarms", "CloudWatch composite alarms", fixtures.composite_alarms, prices.COMPOSITE_ALARM),
        pieces("dashboards", "CloudWatch dashboards", fixtures.dashboards, prices.DASHBOARD),
    ]


def _sweeps(stage: Stage, fixtures: Fixtures) -> list[Line]:
    """List what runs by the clock: nothing where the schedules are disabled."""
    sweeps = fixtures.schedules - bool(stage.canary) - (not stage.sweeps.audit) if stage.sweeps.on else 0
    runs = SWEEP_RUNS * sweeps
    songs = HOURS * 60 / stage.canary.every_minutes if stage.canary and stage.canary.on else 0.0
    return [
        Line(
            key="schedules",
            title=f"Scheduled runs: {sweeps} a minute, and the canary's",
            quantity=(runs + songs) / 1e6,
            price=prices.SCHEDULED_RUNS,
        ),
        Line(
            key="canary",
            title=f"The canary: Lambda time of {songs:,.0f} runs",
            quantity=songs * CANARY_S * stage.memory_mib / 1024,
            price=prices.LAMBDA_TIME,
        ),
        Line(
            key="queue-polls",
            title=f"Polls of {fixtures.polled_queues} queues of failed work",
            quantity=fixtures.polled_queues * POLLS_OF_QUEUE / 1e6,
            price=prices.QUEUE_REQUESTS,
        ),
        Line(
            key="sweeps",
            title="Lambda time of the sweeps",
            quantity=runs * SWEEP_S * stage.memory_mib / 1024,
            price=prices.LAMBDA_TIME,
        ),
    ]
