"""Who is told when something is wrong, what counts as wrong, and where to look."""

from collections.abc import Iterator, Sequence
from typing import Any

from aws_cdk import Aws, CfnOutput, Stack
from aws_cdk import aws_cloudwatch as cloudwatch
from aws_cdk import aws_cloudwatch_actions as actions
from aws_cdk import aws_iam as iam
from aws_cdk import aws_sns as sns
from aws_cdk import aws_sns_subscriptions as subscriptions
from constructs import Construct

from cdk_app.parts import watched
from cdk_app.parts.alarms import Watch, declare_alarm
from cdk_app.parts.dashboard import declare_dashboard, declare_queries
from cdk_app.parts.watched_audit import watch_audit
from cdk_app.settings import Stage
from cdk_app.store_settings import Managed


class MonitoringStack(Stack):
    """The topic of alarms, the alarms that watch from outside, the dashboard and the saved queries.

    Everything is watched by its name, so that no other stack has to export what it could then not change.
    """

    def __init__(
        self, scope: Construct, construct_id: str, *, stage: Stage, stacks: Sequence[Stack], **options: Any
    ) -> None:
        super().__init__(scope, construct_id, **options)
        self._stage = stage
        functions = watched.functions_of(stacks)
        consumers = watched.consumers_of(stage, stacks)
        alarms = [declare_alarm(self, watch) for watch in self._watches(functions, consumers)]
        alarms += [alarm for stack in stacks for alarm in alarms_of(stack)]
        topic = self._topic()
        # By its name: a reference would make every stack depend on this one.
        notice = actions.SnsAction(sns.Topic.from_topic_arn(self, "Notices", topic_arn(stage)))
        for alarm in alarms:
            alarm.add_alarm_action(notice)
        declare_dashboard(self, stage, functions=functions, consumers=consumers, alarms=alarms_of(self))
        declare_queries(self, stage, functions)
        CfnOutput(self, "AlarmTopic", value=topic.topic_arn)

    def _watches(self, functions: list[str], consumers: list[watched.Consumer]) -> Iterator[Watch]:
        for consumer in consumers:
            yield from watched.watch_consumer(consumer)
        yield from watched.watch_dead_letters(self._stage)
        if self._stage.alarms == "consumers":
            return
        consuming = {consumer.function for consumer in consumers}
        for function in functions:
            if function not in consuming:
                yield from watched.watch_function(self._stage, function)
        yield from watched.watch_users(self._stage)
        yield from watch_audit(self._stage)
        if isinstance(self._stage.stores, Managed):
            yield from watched.watch_stores(self._stage, self._stage.stores)

    def _topic(self) -> sns.Topic:
        """Declare the topic; alarms name what is wrong and nobody's data, so SNS's own encryption will do."""
        title = f"GoChat {self._stage.name}"
        topic = sns.Topic(self, "Alarms", topic_name=topic_name(self._stage), display_name=title, enforce_ssl=True)
        # The policy that asks for TLS takes the place of the one by which the account's own services may publish.
        topic.add_to_resource_policy(
            iam.PolicyStatement(
                actions=["sns:Publish"],
                resources=[topic.topic_arn],
                principals=[iam.ServicePrincipal("cloudwatch.amazonaws.com")],
                conditions={"StringEquals": {"aws:SourceAccount": Aws.ACCOUNT_ID}},
            )
        )
        if self._stage.alarm_email:
            topic.add_subscription(subscriptions.EmailSubscription(self._stage.alarm_email))
        return topic


def topic_name(stage: Stage) -> str:
    """Name the topic of a stage's alarms."""
    return f"{stage.prefix}-alarms"


def topic_arn(stage: Stage) -> str:
    """Write the ARN of the topic of a stage's alarms."""
    return f"arn:{Aws.PARTITION}:sns:{Aws.REGION}:{Aws.ACCOUNT_ID}:{topic_name(stage)}"


def alarms_of(stack: Stack) -> list[cloudwatch.Alarm]:
    """List the alarms that a stack has declared itself."""
    return [child for child in stack.node.children if isinstance(child, cloudwatch.Alarm)]
