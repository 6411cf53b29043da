"""Makes the topics, or checks them, when the deployment's custom resource asks for it."""

from collections.abc import Mapping
from typing import Any, Literal, TypedDict

import msgspec

from gochat_aws.kafka_topics import WantedTopic
from gochat_core.errors import Unavailable
from repo.topics import wiring


class Request(msgspec.Struct, frozen=True, kw_only=True):
    """The event; `create` off: the topics are their owner's to make, and are looked at alone."""

    topics: list[WantedTopic]
    create: bool


class Answer(TypedDict):
    """What the custom resource gets: it asks again while Kafka is away, or the role's rights are too new."""

    status: Literal["done", "unavailable"]
    told: list[str]


def handle(event: Mapping[str, Any], context: object) -> Answer:  # noqa: ARG001 - Lambda's signature
    """Make what is missing; safe to repeat.

    What can never succeed raises, so that the deployment fails with its reason.
    """
    request = msgspec.convert(event, Request)
    maker = wiring.topic_maker()
    try:
        told = maker.ensure(request.topics) if request.create else maker.check(request.topics)
    except Unavailable as fault:
        wiring.logger().warning("kafka is unavailable", extra={"cause": repr(fault.__cause__), "told": fault.detail})
        return {"status": "unavailable", "told": [fault.detail]}
    wiring.logger().info("topics are there", extra={"told": told})
    return {"status": "done", "told": told}
