"""The plan of the Kafka topics of a stage."""

from dataclasses import dataclass

from cdk_app import catalogue
from cdk_app.settings import Stage
from cdk_app.store_settings import Managed, ServerlessBroker

_HOUR_MS = 3_600_000

_DECIDED_BY_CLUSTER = -1
"""The replication factor of a topic that leaves it to its cluster."""


@dataclass(frozen=True, kw_only=True)
class TopicPlan:
    """One topic."""

    name: str
    partitions: int
    replication_factor: int
    configs: dict[str, str]

    @property
    def title(self) -> str:
        """The name as CloudFormation's logical ids are written."""
        return "".join(part.capitalize() for part in self.name.split("-"))


def plan_topics(stage: Stage) -> list[TopicPlan]:
    """List the topics that a stage needs; retention outlasts any outage that is worth catching up after.

    Raises ValueError when MSK Serverless has no room for them.
    """
    sizes = stage.topics
    partitions = {
        catalogue.UPSTREAM_TOPIC: sizes.upstream_partitions,
        catalogue.TASK_TOPIC: sizes.task_partitions,
        catalogue.PUSH_TOPIC: sizes.push_partitions,
        catalogue.DEAD_LETTER_TOPIC: sizes.dead_letter_partitions,
        **{catalogue.downstream_topic(cell): sizes.downstream_partitions for cell in stage.cells},
        **{catalogue.bulk_downstream_topic(cell): sizes.downstream_bulk_partitions for cell in stage.cells},
    }
    configs = {"retention.ms": str(sizes.retention_hours * _HOUR_MS)}
    broker = stage.stores.broker if isinstance(stage.stores, Managed) else None
    if isinstance(broker, ServerlessBroker):
        if sum(partitions.values()) > broker.max_partitions:
            raise ValueError(f"MSK Serverless has {broker.max_partitions} partitions: ask for fewer, or take brokers")
        replicas = _DECIDED_BY_CLUSTER
    else:
        replicas = sizes.replication_factor
        if not stage.express_broker:
            configs["min.insync.replicas"] = str(sizes.min_insync_replicas)
    return [
        TopicPlan(name=name, partitions=count, replication_factor=replicas, configs=configs)
        for name, count in partitions.items()
    ]
