"""Builds what makes the topics, once per container."""

import os
from functools import cache

from aws_lambda_powertools import Logger

from gochat_aws.kafka_topics import TopicMaker, topic_maker_from
from gochat_core.logs import make_logger


@cache
def topic_maker() -> TopicMaker:
    """Return what speaks to the stage's Kafka."""
    return topic_maker_from(os.environ)


@cache
def logger() -> Logger:
    """Return this function's logger."""
    return make_logger("repo-topics", os.environ.get("GOCHAT_LOG_LEVEL") or "INFO")
