"""The functions that the benchmark of large groups runs, each in a process of its own with its mapping."""

import base64
import json
import os
import time
from collections.abc import Mapping
from multiprocessing.synchronize import Event
from typing import Any

import msgspec

from gochat_contracts.commands import SendMessage
from gochat_contracts.records import UPSTREAM_TOPIC, Sender, UpstreamRecord, downstream_topic, encode
from gochat_core.ids import single_conversation_id
from gochat_core.types import ClientMsgId, DeviceId, SessionId, UserId
from tests.benchmarks import large_groups_stage as stage
from tests.benchmarks.large_groups_stage import TASKS, Channel

SINGLES_PER_S = 20
CHATS = 10

Counter = Any
"""A number that processes share."""


def work(
    environ: Mapping[str, str], core: int | None, in_one_lane: bool, done: Counter, ended: Event, channel: Channel
) -> None:
    """Be `worker` with its mapping; `in_one_lane` has it send to the topic of single chats."""
    os.environ.update(environ)
    stage.pin(core)
    from task.worker import handler, plan_page
    from task.worker.batch import TaskBatches

    if in_one_lane:
        vars(plan_page)["bulk_downstream_topic"] = downstream_topic
    apply = TaskBatches.apply

    def counted(self: TaskBatches, records: Any) -> Any:
        verdicts = apply(self, records)
        with done.get_lock():
            done.value += verdicts.offline
        return verdicts

    TaskBatches.apply = counted  # type: ignore[method-assign]
    channel.send("ready")
    stage.poll(environ, TASKS, 20, handler.handle, ended)
    channel.send((stage.peak_mib(), stage.cpu_seconds()))


def deliver(
    environ: Mapping[str, str],
    topic: str,
    batch_size: int,
    core: int | None,
    posted: Counter,
    ended: Event,
    channel: Channel,
) -> None:
    """Be `deliver` with its mapping; says at its end how long each single message was on its way, in ms."""
    os.environ.update(environ)
    stage.pin(core)
    from gateway.deliver import delivery, handler

    latencies_ms: list[tuple[int, int]] = []
    deliver_lanes = delivery.deliver_lanes

    def counted(*arguments: Any, **options: Any) -> Any:
        verdict = deliver_lanes(*arguments, **options)
        with posted.get_lock():
            posted.value += verdict.posts["delivered"]
        for placed, at_ms in verdict.delivered:
            item = placed.item
            if item.event == "message.new" and item.accepted_at_ms and b'"single"' in bytes(item.data):
                latencies_ms.append((item.accepted_at_ms, at_ms - item.accepted_at_ms))
        return verdict

    vars(handler)["deliver_lanes"] = counted
    channel.send("ready")
    stage.poll(environ, topic, batch_size, handler.handle, ended)
    channel.send((stage.peak_mib(), stage.cpu_seconds(), latencies_ms))


def loop_naively(environ: Mapping[str, str], endpoint: str, conversation_id: str, channel: Channel) -> None:
    """Tell a group as most do: read all members, look each one up, post to each with boto3, one after the other."""
    os.environ.update(environ)
    import boto3
    import redis

    from gochat_repo.mysql import database_from

    database, posts = (
        database_from(environ),
        boto3.client(
            "apigatewaymanagementapi", endpoint_url=endpoint, region_name="us-east-1", verify=environ["SSL_CERT_FILE"]
        ),
    )
    cache = redis.Redis(host=environ["GOCHAT_REDIS_HOST"], port=int(environ["GOCHAT_REDIS_PORT"]))
    body = json.dumps({"event": "message.new", "data": {"messages": [{"text": "x" * 300}]}}).encode()
    began = time.perf_counter()
    members = database.read(
        lambda tx: tx.query(
            "SELECT user_id, join_seq, left_seq FROM conversation_participants WHERE conversation_id = %s",
            (bytes.fromhex(conversation_id),),
        )
    )
    away = []
    for user_id, _, _ in members:
        held = cache.get(f"user_conns:{user_id}")
        connections = json.loads(held[1:]) if isinstance(held, bytes) and len(held) > 1 else []
        for one in connections:
            posts.post_to_connection(ConnectionId=one["connection_id"], Data=body)
        if not connections:
            away.append(user_id)
    channel.send((time.perf_counter() - began, stage.peak_mib()))


def chat(environ: Mapping[str, str], core: int | None, ended: Event, channel: Channel) -> None:
    """Be people who write to each other at an even pace, and `upstream` which stores and announces each message."""
    os.environ.update(environ)
    stage.pin(core)
    from logic.upstream import handler

    channel.send("ready")
    number, next_at = 0, time.perf_counter()
    while not ended.is_set():
        number += 1
        one = UserId(2 * (number % CHATS) + 1)
        now_ms = int(time.time() * 1000)
        record = UpstreamRecord(
            frame_id=str(number),
            sender=Sender(user_id=one, device_id=DeviceId("phone"), session_id=SessionId(1)),
            accepted_at_ms=now_ms,
            command=SendMessage(
                conversation_id=single_conversation_id(one, UserId(one + 1)),
                client_msg_id=ClientMsgId(f"single-{now_ms}-{number}"),
                type="text",
                content=msgspec.Raw(b'{"text":"single"}'),
                to=UserId(one + 1),
            ),
        )
        handler.handle(_upstream_event(record), None)
        next_at += 1 / SINGLES_PER_S
        time.sleep(max(0.0, next_at - time.perf_counter()))
    channel.send("ended")


def _upstream_event(record: UpstreamRecord) -> dict[str, Any]:
    value = base64.b64encode(encode(record)).decode()
    key = base64.b64encode(record.command.conversation_id.encode()).decode()
    incoming = {
        "topic": UPSTREAM_TOPIC,
        "partition": 0,
        "offset": int(record.frame_id),
        "timestamp": record.accepted_at_ms,
        "key": key,
        "value": value,
        "headers": [],
    }
    return {"eventSource": "aws:kafka", "records": {f"{UPSTREAM_TOPIC}-0": [incoming]}}
