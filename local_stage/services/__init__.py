"""MySQL, Redis and Kafka as child processes on loopback ports, or as external servers."""

from local_stage.services.errors import DidNotStart, MissingProgram, ServiceError, Unreachable
from local_stage.services.kafka import KafkaBroker
from local_stage.services.mysql import MySqlServer
from local_stage.services.process import stop_leftovers
from local_stage.services.redis import RedisCluster
from local_stage.services.stack import EMBEDDED, Services, start_services
from local_stage.services.topics import create_topics

__all__ = [
    "EMBEDDED",
    "DidNotStart",
    "KafkaBroker",
    "MissingProgram",
    "MySqlServer",
    "RedisCluster",
    "ServiceError",
    "Services",
    "Unreachable",
    "create_topics",
    "start_services",
    "stop_leftovers",
]
