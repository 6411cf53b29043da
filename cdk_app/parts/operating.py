"""What operators have beside the services: the loss audit, and the function behind `./dev dead-letters`."""

from collections.abc import Sequence

from constructs import IDependable

from cdk_app import catalogue
from cdk_app.parts.function import FunctionContext
from cdk_app.parts.mapping import consumer_group
from cdk_app.parts.schedule import declare_schedule
from cdk_app.stores import DatabaseStore, KafkaStore


def declare_audit(context: FunctionContext, database: DatabaseStore, after: Sequence[IDependable]) -> None:
    """Declare the loss audit, which reaches the database and nothing else."""
    spec = catalogue.REPO_AUDIT
    function = context.make(spec, environment=database.environment(), statements=database.may_connect(), after=after)
    declare_schedule(context, spec, function, on=context.stage.sweeps.on and context.stage.sweeps.audit)


def declare_desk(context: FunctionContext, kafka: KafkaStore, after: Sequence[IDependable]) -> None:
    """Declare what shows dead letters and brings them back; nobody may invoke it but whom the account lets."""
    spec, stage = catalogue.TASK_REDRIVE, context.stage
    write = kafka.may_produce([*catalogue.REDRIVABLE_TOPICS, catalogue.DEAD_LETTER_TOPIC])
    read = kafka.may_read(catalogue.DEAD_LETTER_TOPIC, consumer_group(stage, spec.name))
    context.make(
        spec,
        environment={**kafka.environment(), "GOCHAT_TOPIC_RETENTION_HOURS": str(stage.topics.retention_hours)},
        statements=[*read, *write],
        after=after,
    )
