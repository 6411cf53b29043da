"""The topics on a Kafka that CloudFormation can't make them on: on provisioned MSK of ours the Broker stack does."""

import json
from dataclasses import asdict

from aws_cdk import CfnOutput, CustomResource

from cdk_app import catalogue
from cdk_app.parts.custom_resource import declare_custom_resource
from cdk_app.parts.function import FunctionContext
from cdk_app.stores import KafkaStore, allow
from cdk_app.topics import plan_topics

# MSK Serverless makes 250 partitions in 5 minutes (MSK developer guide, "MSK Serverless quota"): what is above waits.
_TIMEOUT_S = 900


def declare_topics(context: FunctionContext, kafka: KafkaStore, *, create: bool) -> CustomResource:
    """Declare repo-topics and the resource that runs it, which their readers have to wait for.

    `create` off: their owner makes them, as an output tells, and the deployment fails while one is missing.
    """
    plans = plan_topics(context.stage)
    function = context.make(
        catalogue.REPO_TOPICS,
        environment=kafka.environment(),
        statements=kafka.may_make_topics([plan.name for plan in plans], create=create),
    )
    if not create:
        told = ", ".join(f"{plan.name} ({plan.partitions})" for plan in plans)
        CfnOutput(context.stack, "TopicsToMake", value=told, description="Topic (partitions), to be made beforehand")
    return declare_custom_resource(
        context,
        "KafkaTopics",
        module="kafka_topics",
        properties={
            "FunctionName": function.function_name,
            "Topics": json.dumps([asdict(plan) for plan in plans]),
            "Create": str(create).lower(),
            # Another cluster needs its topics too.
            "BootstrapServers": kafka.bootstrap,
        },
        statements=[allow(["InvokeFunction"], [function.function_arn], "lambda")],
        timeout_s=_TIMEOUT_S,
    )
