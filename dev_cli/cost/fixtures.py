"""Counts what a stage's settings put into its templates by the piece, where each piece is billed by time."""

import math
from dataclasses import dataclass, replace

from cdk_app.settings import Stage
from cdk_app.store_settings import Broker, Managed
from dev_cli.cost.alarm_counts import count_alarms, mappings_of

POLLERS_PER_UNIT = 10
"""As long as each reads less than 2 MB/s (Lambda developer guide, "Enhanced EPU Utilization")."""

SERVICE_METRICS = 70
"""Metrics that the functions write, by name and service; one is billed for the hours in which it is written."""

ROUTE_METRICS = 5
"""Detailed metrics of one route of an API (API Gateway developer guide, "WebSocket API metrics")."""

REGISTERED = 2
"""What answers as im-logic and as im-repo, beside the cells."""

SECRETS = 2
"""Signing keys, and the key of web pushes."""

POLLED_QUEUES = 1
POLLED_QUEUES_OF_CELL = 1
"""Of work that was asked for asynchronously and failed (`cdk_app/parts/redrive.py`)."""

WEBSOCKET_ROUTES = 5
HTTP_ROUTES = 1

BROKER_METRICS = 40
TOPIC_METRICS = 8
"""Of a broker, and of a topic on a broker, at level PER_TOPIC_PER_BROKER (MSK developer guide, "Metrics for monitoring
Standard brokers"); counted there by eye."""


@dataclass(frozen=True, kw_only=True)
class Fixtures:
    """How many of each there are."""

    brokers: int = 0
    endpoint_zones: int = 0
    """Interface endpoints, counted once for each zone they stand in."""
    nat_gateways: int = 0
    poller_units: int = 0
    polled_queues: int = 0
    """Queues of failed work that Lambda asks for more, all month."""
    secrets: int = 0
    keys: int = 0
    schedules: int = 0
    """Of sweeps, which run every minute, and the canary's."""
    registered: int = 0
    """Instances in Cloud Map that the templates register."""
    alarms: int = 0
    """Each counted once for every metric that it looks at."""
    composite_alarms: int = 0
    dashboards: int = 0
    custom_metrics: int = 0
    database_instances: int = 0


def count_fixtures(stage: Stage) -> Fixtures:
    """Count; `tests/infrastructure/test_cost.py` holds each count to the synthesized templates."""
    everywhere = Fixtures(
        poller_units=poller_units(stage),
        polled_queues=POLLED_QUEUES_OF_CELL * len(stage.cells) + POLLED_QUEUES,
        secrets=SECRETS + bool(stage.canary),
        schedules=_schedules(stage),
        registered=REGISTERED + len(stage.cells),
        alarms=count_alarms(stage),
        composite_alarms=1 if stage.alarms == "all" and not stage.on_emulator else 0,
        dashboards=0 if stage.on_emulator else 1,
        custom_metrics=SERVICE_METRICS + _route_metrics(stage),
    )
    if not isinstance(stage.stores, Managed):
        return everywhere
    managed = stage.stores
    return replace(
        everywhere,
        brokers=managed.broker.brokers if isinstance(managed.broker, Broker) else 0,
        endpoint_zones=_endpoints(stage, managed) * managed.endpoint_zones,
        nat_gateways=managed.endpoint_zones if managed.egress == "nat" else 0,
        secrets=everywhere.secrets + 1,  # the database's master password
        keys=1 if managed.customer_key else 0,
        custom_metrics=everywhere.custom_metrics + _broker_metrics(stage, managed),
        database_instances=1 + managed.database.readers,
    )


def poller_units(stage: Stage) -> int:
    """Count event poller units: mappings of a poller group share them, those outside have one each at least.

    The bulk lanes stay outside in any case (`cdk_app/stacks/edge.py`).
    """
    minimums = [mapping.pollers.minimum for mapping in mappings_of(stage) if mapping.pollers]
    if not stage.mappings.shared_pollers:
        return sum(math.ceil(minimum / POLLERS_PER_UNIT) for minimum in minimums)
    bulk = stage.mappings.deliver_bulk.pollers
    alone = [bulk.minimum] * len(stage.cells) if bulk else []
    together = sum(minimums) - sum(alone)
    return math.ceil(together / POLLERS_PER_UNIT) + sum(math.ceil(minimum / POLLERS_PER_UNIT) for minimum in alone)


def _endpoints(stage: Stage, managed: Managed) -> int:
    """Count the services with an endpoint, as the Network stack declares them: on-demand pollers take no IPv6."""
    secrets = 1 if managed.egress == "endpoints" else 0
    pollers = 2 if stage.mappings.on_demand and managed.egress != "nat" else 0
    return secrets + pollers


def _schedules(stage: Stage) -> int:
    return 4 + len(stage.cells) + bool(stage.canary)


def _route_metrics(stage: Stage) -> int:
    return ROUTE_METRICS * (WEBSOCKET_ROUTES * len(stage.cells) + HTTP_ROUTES)


def _broker_metrics(stage: Stage, managed: Managed) -> int:
    """Count what MSK's enhanced monitoring adds where the stage is kept; `dev` has what is free."""
    if not (managed.keep and isinstance(managed.broker, Broker)):
        return 0
    kinds = sum(name.endswith("_partitions") for name in vars(stage.topics))
    topics = kinds - 2 + 2 * len(stage.cells)
    return managed.broker.brokers * (BROKER_METRICS + TOPIC_METRICS * topics)
