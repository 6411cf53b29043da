"""Makes the topics on a Kafka cluster that the app does not manage; never deletes one, never shrinks one."""

import json
import logging
from typing import TypedDict

from cdk_app.custom_resources.answer import Attributes, Context, Event, answer

logger = logging.getLogger()

REQUEST_TIMEOUT_MS = 5_000
CREATE_TIMEOUT_MS = 30_000
BOOTSTRAP_TIMEOUT_MS = 30_000


class Topic(TypedDict):
    """One topic as the template names it."""

    name: str
    partitions: int
    replication_factor: int
    configs: dict[str, str]


def handle(event: Event, context: Context) -> None:
    """Make the missing topics and partitions; properties: BootstrapServers (host:port,…), Topics (JSON list).

    Safe to repeat. A topic that exists keeps its configuration. Deleting the resource leaves every topic alone: the
    messages in them may not have been delivered yet.
    """
    properties = event["ResourceProperties"]

    def work() -> Attributes:
        if event["RequestType"] != "Delete":
            ensure_topics(properties["BootstrapServers"].split(","), json.loads(properties["Topics"]))
        return {}

    answer(event, context, "kafka-topics", work)


def ensure_topics(bootstrap_servers: list[str], topics: list[Topic]) -> None:
    """Create what is missing of `topics`; raises kafka's errors when the cluster can't be reached or refuses."""
    from kafka import KafkaAdminClient
    from kafka.errors import TopicAlreadyExistsError

    admin = KafkaAdminClient(
        bootstrap_servers=bootstrap_servers,
        client_id="gochat-topics",
        request_timeout_ms=REQUEST_TIMEOUT_MS,
        bootstrap_timeout_ms=BOOTSTRAP_TIMEOUT_MS,
    )
    try:
        existing = {
            topic["name"]: len(topic["partitions"]) for topic in admin.describe_topics() if not topic["error_code"]
        }
        for topic in topics:
            name, wanted = topic["name"], int(topic["partitions"])
            if name in existing:
                if existing[name] < wanted:
                    admin.create_partitions({name: wanted})
                    logger.info("topic %s grew from %d to %d partitions", name, existing[name], wanted)
                continue
            options = {
                "num_partitions": wanted,
                "replication_factor": int(topic["replication_factor"]),
                "configs": topic["configs"],
            }
            try:
                admin.create_topics({name: options}, timeout_ms=CREATE_TIMEOUT_MS)
                logger.info("topic %s was made with %d partitions", name, wanted)
            except TopicAlreadyExistsError:
                logger.info("topic %s was made by somebody else meanwhile", name)
    finally:
        admin.close()
