"""The topics on a Kafka cluster that exists already; on MSK of our own the Broker stack makes them."""

import json
from dataclasses import asdict

from aws_cdk import CfnOutput, CustomResource

from cdk_app.parts.custom_resource import declare_custom_resource
from cdk_app.parts.function import FunctionContext
from cdk_app.stores import KafkaStore
from cdk_app.topics import plan_topics


def declare_external_topics(context: FunctionContext, kafka: KafkaStore) -> list[CustomResource]:
    """Declare the topics, and return what has to be there before their readers.

    A cluster that asks for a login is reached from inside its network alone, where no custom resource stands: its owner
    makes the topics beforehand, as the output tells.
    """
    plans = plan_topics(context.stage)
    if kafka.auth != "none" or kafka.network:
        told = ", ".join(f"{plan.name} ({plan.partitions})" for plan in plans)
        CfnOutput(context.stack, "TopicsToMake", value=told, description="Topic (partitions), to be made beforehand")
        return []
    return [
        declare_custom_resource(
            context,
            "KafkaTopics",
            module="kafka_topics",
            properties={
                "BootstrapServers": kafka.bootstrap,
                "Topics": json.dumps([asdict(plan) for plan in plans]),
            },
            statements=[],
            needs_wheels=True,
        )
    ]
