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
from cdk_app.parts.alarms import RUNBOOK, Watch, alarm_name, declare_alarm
from cdk_app.parts.dashboard import declare_dashboard, declare_queries
from cdk_app.parts.watched_audit import watch_audit
from cdk_app.parts.watched_stores import watch_stores
from cdk_app.settings import Stage
from cdk_app.store_settings import Managed

UNWELL = "StageIsUnwell"

SYMPTOMS = ("Fails", "RequestsFail", "MessagesStoredLate", "MessagesDeliveredLate")
"""How the names of alarms end that tell of what users feel (`CanaryFails`, `CellG1Fails`): causes without a symptom can
wait until the morning."""


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
        own = [declare_alarm(self, stage, watch) for watch in self._watches(functions, consumers)]
        alarms = [*own, *(alarm for stack in stacks for alarm in alarms_of(stack))]
        topic = self._topic("Alarms", topic_name(stage), stage.alarm_email)
        # By its name: a reference would make every stack depend on this one.
        notice = actions.SnsAction(sns.Topic.from_topic_arn(self, "Notices", topic_arn(stage)))
        for alarm in alarms:
            alarm.add_alarm_action(notice)
        if stage.alarms == "all":
            self._page(alarms)
        declare_dashboard(self, stage, functions=functions, consumers=consumers, alarms=self._named(alarms))
        declare_queries(self, stage, functions)
        CfnOutput(self, "AlarmTopic", value=topic.topic_arn)

    def _watches(self, functions: list[str], consumers: list[watched.Consumer]) -> Iterator[Watch]:
        stage = self._stage
        for consumer in consumers:
            yield from watched.watch_consumer(stage, consumer)
        yield from watched.watch_dead_letters(stage)
        if stage.alarms == "consumers":
            return
        consuming = {consumer.function for consumer in consumers}
        for function in functions:
            if function not in consuming:
                yield from watched.watch_function(stage, function)
        yield from watched.watch_account(stage)
        yield from watched.watch_users(stage)
        yield from watched.watch_canary(stage)
        yield from watched.watch_sweeps(stage)
        yield from watch_audit(stage)
        if isinstance(stage.stores, Managed):
            yield from watch_stores(stage, stage.stores)

    def _named(self, alarms: Sequence[cloudwatch.Alarm]) -> list[cloudwatch.IAlarm]:
        """Return the alarms as found by their names: other stacks' would have to be exported else."""
        return [
            cloudwatch.Alarm.from_alarm_name(self, f"Named{alarm.node.id}", alarm_name(self._stage, alarm.node.id))
            for alarm in alarms
        ]

    def _page(self, alarms: Sequence[cloudwatch.Alarm]) -> None:
        """Declare the one alarm that is worth waking somebody for: users are hurt, whatever the cause.

        Its topic is another one than that of all alarms, whose mails can wait until the morning.
        """
        names = [alarm_name(self._stage, alarm.node.id) for alarm in alarms if alarm.node.id.endswith(SYMPTOMS)]
        topic = self._topic("Pages", f"{self._stage.prefix}-pages", self._stage.page_email)
        unwell = cloudwatch.CfnCompositeAlarm(
            self,
            UNWELL,
            alarm_name=alarm_name(self._stage, UNWELL),
            alarm_description=f"Users are hurt. What to do: {RUNBOOK}the-stage-is-unwell",
            alarm_rule=" OR ".join(f'ALARM("{name}")' for name in names),
            alarm_actions=[topic.topic_arn],
            ok_actions=[topic.topic_arn],
        )
        for alarm in alarms:
            # CloudWatch refuses a rule that names an alarm which isn't there yet.
            if alarm.stack is self and alarm.node.id.endswith(SYMPTOMS):
                unwell.node.add_dependency(alarm)
        CfnOutput(self, "PageTopic", value=topic.topic_arn)

    def _topic(self, construct_id: str, name: str, email: str | None) -> sns.Topic:
        """Declare a topic; alarms name what is wrong and nobody's data: SNS need not encrypt it with a key."""
        title = f"GoChat {self._stage.name}"
        topic = sns.Topic(self, construct_id, topic_name=name, display_name=title, enforce_ssl=True)
        # The policy that asks for TLS takes the place of the one by which the account's own services may publish.
        topic.add_to_resource_policy(
            iam.PolicyStatement(
                actions=["sns:Publish"],
                resources=[topic.topic_arn],
                principals=[iam.ServicePrincipal("cloudwatch.amazonaws.com")],
                conditions={"StringEquals": {"aws:SourceAccount": Aws.ACCOUNT_ID}},
            )
        )
        if email:
            topic.add_subscription(subscriptions.EmailSubscription(email))
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
