"""Talks to Lambda and to the on-failure destinations through the local AWS endpoint."""

from collections.abc import Mapping, Sequence
from typing import Any

import boto3
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError

from local_stage.mappings.answers import read_answer, read_refusal
from local_stage.mappings.verdicts import NotInvoked, Outcome

# A Kafka mapping's function may run for 14 minutes ("Configuring a function for Kafka"): longer than boto3's 60 s.
_INVOKE_TIMEOUT_S = 15 * 60
_CONNECT_TIMEOUT_S = 2
_MAX_CONNECTIONS = 256

AwsFailure = (BotoCoreError, ClientError)


class LocalAws:
    """Hold the clients of one endpoint (None: AWS's own); every method may be called from any thread."""

    def __init__(self, endpoint_url: str | None, *, region: str) -> None:
        session = boto3.session.Session(
            # The local AWS takes any; given here so that no profile of the developer's is asked for real ones.
            aws_access_key_id="000000000000",
            aws_secret_access_key="local",  # noqa: S106 - as above
            region_name=region,
        )
        brisk = Config(
            read_timeout=10,
            connect_timeout=_CONNECT_TIMEOUT_S,
            retries={"total_max_attempts": 1},  # the poller has a policy of its own for what comes again, and when
            max_pool_connections=_MAX_CONNECTIONS,
        )
        patient = brisk.merge(Config(read_timeout=_INVOKE_TIMEOUT_S))

        def client(service: str, config: Config = brisk) -> Any:
            return session.client(service, endpoint_url=endpoint_url, config=config)  # type: ignore[call-overload]

        self._invoker = client("lambda", patient)
        self._lambda = client("lambda")
        self._kafka = client("kafka")
        self._sqs = client("sqs")
        self._sns = client("sns")
        self._s3 = client("s3", brisk.merge(Config(s3={"addressing_style": "path"})))

    def list_mappings(self) -> list[Mapping[str, Any]]:
        """Return every event source mapping; raises an AwsFailure."""
        pages = self._lambda.get_paginator("list_event_source_mappings").paginate()
        return [mapping for page in pages for mapping in page["EventSourceMappings"]]

    def bootstrap_of(self, cluster_arn: str) -> str:
        """Return an MSK cluster's bootstrap servers; raises an AwsFailure."""
        brokers: Mapping[str, Any] = self._kafka.get_bootstrap_brokers(ClusterArn=cluster_arn)
        known = [brokers[name] for name in brokers if name.startswith("BootstrapBrokerString") and brokers[name]]
        return str(known[0]) if known else ""

    def invoke(self, function_arn: str, event: bytes, *, honours_item_failures: bool) -> Outcome:
        """Invoke a function and wait for its answer; never raises for what Lambda or the function did."""
        try:
            answer = self._invoker.invoke(FunctionName=function_arn, Payload=event)
            payload = answer["Payload"].read()
        except ClientError as refusal:
            error = refusal.response.get("Error", {})
            return read_refusal(str(error.get("Code", "")), str(error.get("Message", "")))
        except BotoCoreError as failure:
            return NotInvoked(reason=f"{type(failure).__name__}: {failure}")
        return read_answer(
            payload, function_error=answer.get("FunctionError"), honours_item_failures=honours_item_failures
        )

    def send(self, destination_arn: str, body: str, *, object_key: str) -> None:
        """Send a document to a queue, a topic or, under `object_key`, a bucket; raises an AwsFailure or ValueError."""
        service, name = _parse_arn(destination_arn)
        if service == "sqs":
            queue_url = self._sqs.get_queue_url(QueueName=name)["QueueUrl"]
            self._sqs.send_message(QueueUrl=queue_url, MessageBody=body)
        elif service == "sns":
            self._sns.publish(TopicArn=destination_arn, Message=body)
        elif service == "s3":
            self._s3.put_object(Bucket=name, Key=object_key, Body=body.encode(), ContentType="application/json")
        else:
            raise ValueError(f"{destination_arn} is no queue, topic, bucket or kafka:// address")


def _parse_arn(arn: str) -> tuple[str, str]:
    """Return service and resource name of `arn:partition:service:region:account:resource`."""
    parts: Sequence[str] = arn.split(":", 5)
    return (parts[2], parts[5]) if len(parts) == 6 else ("", arn)
