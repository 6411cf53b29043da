"""Brings one batch to its end: invoked, invoked again, split, given up, as the verdicts say."""

import json
import threading
import time
import uuid
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from typing import Protocol

from confluent_kafka import KafkaException, Producer

from local_stage.mappings.aws import AwsFailure
from local_stage.mappings.config import MappingConfig
from local_stage.mappings.failures import describe_batch, describe_for_s3, describe_record, kafka_topic
from local_stage.mappings.quiet import KAFKA_LOG
from local_stage.mappings.records import MAX_PAYLOAD_BYTES, Envelope, Record
from local_stage.mappings.status import MappingStatus
from local_stage.mappings.verdicts import (
    Chunk,
    FunctionFailed,
    ItemsFailed,
    NotInvoked,
    Outcome,
    PayloadTooLarge,
    Verdict,
    backoff_s,
    drop_expired,
    judge,
)

_PRODUCE_TIMEOUT_S = 10.0


class Aws(Protocol):
    """What a delivery needs of the local AWS."""

    def invoke(self, function_arn: str, event: bytes, *, honours_item_failures: bool) -> Outcome:
        """Invoke a function and wait."""

    def send(self, destination_arn: str, body: str, *, object_key: str) -> None:
        """Send a document to an on-failure destination."""


class Delivery:
    """Deliver batches of one mapping; one instance serves all its workers."""

    def __init__(
        self,
        config: MappingConfig,
        aws: Aws,
        *,
        stopping: threading.Event,
        status: MappingStatus,
        finish: Callable[[Sequence[Record]], None],
        max_wait_s: float,
    ) -> None:
        self._config = config
        self._aws = aws
        self._stopping = stopping
        self._status = status
        self._finish = finish
        self._max_wait_s = max_wait_s
        self._lock = threading.Lock()
        self._producer: Producer | None = None
        self.envelope = Envelope(
            event_source=config.event_source, event_source_arn=config.event_source_arn, bootstrap=config.bootstrap
        )

    def deliver(self, batch: Sequence[Record]) -> None:
        """Work the batch off, in order, and report what is done as it gets done.

        Returns early, with records left over, only when the poller is stopping: those were not reported, so they are
        not committed and come again.
        """
        chunks = [Chunk(records=tuple(batch))]
        while chunks and not self._stopping.is_set():
            chunk = chunks.pop(0)
            fresh = drop_expired(chunk, self._config.policy, now_ms=_now_ms())
            self._settle(fresh)
            if not fresh.again:
                continue
            (chunk,) = fresh.again
            outcome = self._attempt(chunk)
            self._count(outcome)
            verdict = judge(chunk, outcome, self._config.policy, max_wait_s=self._max_wait_s)
            self._settle(verdict)
            chunks = [*verdict.again, *chunks]
            if verdict.wait_s:
                self._stopping.wait(verdict.wait_s)

    def _attempt(self, chunk: Chunk) -> Outcome:
        event = self.envelope.event(chunk.records)
        if len(event) > MAX_PAYLOAD_BYTES:
            return PayloadTooLarge()
        honours = self._config.policy.honours_item_failures
        return self._aws.invoke(self._config.function_arn, event, honours_item_failures=honours)

    def _settle(self, verdict: Verdict) -> None:
        if verdict.given_up and not self._give_up(verdict):
            return
        self._finish([*verdict.done, *verdict.given_up])
        with self._lock:
            self._status.delivered += len(verdict.done)
            self._status.discarded += len(verdict.given_up)

    def _give_up(self, verdict: Verdict) -> bool:
        """Send the records to the on-failure destination, again and again until it takes them; False if stopped.

        Lambda drops records that the destination does not take. Here they block their partitions, with the error in
        the status: a wrong destination should be seen on the laptop, not in production.
        """
        attempts = 0
        while self._config.destination:
            try:
                self._send(self._config.destination, verdict)
                break
            except (*AwsFailure, KafkaException, TimeoutError, ValueError) as failure:
                attempts += 1
                self._fail(f"on-failure destination {self._config.destination}: {failure}")
                if self._stopping.wait(backoff_s(attempts, self._max_wait_s)):
                    return False
        return True

    def _send(self, destination: str, verdict: Verdict) -> None:
        records, topic = verdict.given_up, kafka_topic(destination)
        why = {"condition": verdict.condition, "invocations": verdict.invocations, "now_ms": _now_ms()}
        if topic is not None:
            documents = [describe_record(self._config, self.envelope, record, **why) for record in records]  # type: ignore[arg-type]
            self._produce(topic, [(record.key, json.dumps(d)) for record, d in zip(records, documents, strict=True)])
            return
        document = describe_batch(self._config, self.envelope, records, **why)  # type: ignore[arg-type]
        if destination.split(":")[2:3] == ["s3"]:
            document = describe_for_s3(document, self.envelope, records)
        self._aws.send(destination, json.dumps(document), object_key=_object_key(self._config))

    def _produce(self, topic: str, messages: list[tuple[bytes | None, str]]) -> None:
        """Produce to the mapping's own cluster with the records' own keys, and wait until the broker has them."""
        with self._lock:
            if self._producer is None:
                self._producer = Producer(
                    {
                        "bootstrap.servers": self._config.bootstrap,
                        "message.timeout.ms": int(_PRODUCE_TIMEOUT_S * 1000),
                        "allow.auto.create.topics": False,
                    },
                    logger=KAFKA_LOG,
                )
        if self._producer.list_topics(topic, timeout=_PRODUCE_TIMEOUT_S).topics[topic].error is not None:
            # Not every broker refuses records for a topic that it does not have: Tansu takes and forgets them.
            raise ValueError("there is no such topic in the mapping's cluster")
        failures: list[str] = []
        for key, value in messages:
            self._producer.produce(
                topic,
                key=key,
                value=value.encode(),
                on_delivery=lambda error, _message: failures.append(str(error)) if error is not None else None,
            )
        if self._producer.flush(_PRODUCE_TIMEOUT_S + 1) > 0 or failures:
            raise TimeoutError(failures[0] if failures else "the broker did not take the records in time")

    def _count(self, outcome: Outcome) -> None:
        if isinstance(outcome, NotInvoked):
            with self._lock:
                self._status.refusals += 1
            self._fail(outcome.reason)
            return
        if isinstance(outcome, PayloadTooLarge):
            return
        with self._lock:
            self._status.invocations += 1
            self._status.failures += isinstance(outcome, FunctionFailed | ItemsFailed)
        if isinstance(outcome, FunctionFailed):
            self._fail(outcome.error)

    def _fail(self, error: str) -> None:
        with self._lock:
            self._status.fail(error)


def _now_ms() -> int:
    return int(time.time() * 1000)


def _object_key(config: MappingConfig) -> str:
    """Name the object as Lambda does: aws/lambda/<mapping>/YYYY/MM/DD/YYYY-MM-DDTHH.MM.SS-<random>."""
    now = datetime.now(tz=UTC)
    return f"aws/lambda/{config.uuid}/{now:%Y/%m/%d}/{now:%Y-%m-%dT%H.%M.%S}-{uuid.uuid4()}"
