"""Keeps librdkafka's own log from stderr: a broker that is away fills it; what matters comes as errors."""

import logging

KAFKA_LOG = logging.getLogger("local_stage.mappings.kafka")
KAFKA_LOG.addHandler(logging.NullHandler())
KAFKA_LOG.propagate = False
