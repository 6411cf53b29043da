"""Creates Kafka topics with the partitions they need, and asks a broker who it is."""

import logging
from collections.abc import Mapping

from confluent_kafka import KafkaError, KafkaException
from confluent_kafka.admin import AdminClient
from confluent_kafka.cimpl import NewTopic

from local_stage.services.errors import ServiceError

_TIMEOUT_S = 15.0

# librdkafka writes connection refusals to stderr while a server starts; a logger without a handler keeps them out.
_QUIET = logging.getLogger("local_stage.services.kafka")
_QUIET.addHandler(logging.NullHandler())
_QUIET.propagate = False


def create_topics(bootstrap: str, partitions: Mapping[str, int]) -> None:
    """Create each topic with its number of partitions; those that exist stay as they are, so it may run twice.

    Raises ServiceError if the broker refuses or does not answer within 15 s.
    """
    if not partitions:
        return
    admin = admin_client(bootstrap)
    new = [NewTopic(name, num_partitions=count, replication_factor=1) for name, count in partitions.items()]
    for name, future in admin.create_topics(new, request_timeout=_TIMEOUT_S).items():
        try:
            future.result(_TIMEOUT_S)
        except KafkaException as refusal:
            if refusal.args[0].code() != KafkaError.TOPIC_ALREADY_EXISTS:
                raise ServiceError(f"The broker at {bootstrap} did not create topic {name}: {refusal}") from refusal


def cluster_id(bootstrap: str, *, timeout_s: float) -> str | None:
    """Return the cluster's id by a metadata request, or None if no broker answers in time."""
    try:
        metadata = admin_client(bootstrap).list_topics(timeout=timeout_s)
    except KafkaException:
        return None
    return str(metadata.cluster_id) if metadata.brokers else None


def admin_client(bootstrap: str) -> AdminClient:
    """Return an admin client that retries a refused connection after milliseconds."""
    return AdminClient(
        {"bootstrap.servers": bootstrap, "reconnect.backoff.ms": 10, "reconnect.backoff.max.ms": 50, "log_level": 0},
        logger=_QUIET,
    )
