"""What one piece of work takes of functions, logs and stores: measured on the local stage, rounded up for a network."""

from dataclasses import dataclass

from cdk_app.settings import Stage
from dev_cli.cost.workload import Traffic

GB = 1e9

LOG_BYTES = 1_100
"""A function's lines for one invocation: 650 to 1,700 were counted, Lambda's own three among them."""

ACCESS_LOG_BYTES = 350
"""API Gateway's line for a frame or a request."""

TRACED_SHARE = 0.05
"""What X-Ray takes of Lambda's invocations beside one a second, which AWS has fixed (`Stage.tracing`)."""

FRAME_BYTES = 1_100
"""A message of 1 KB in its frame; answers and receipts are shorter."""

ANSWER_BYTES = 200

ROW_BYTES = 1_500
"""A stored message of 1 KB with its indexes."""

DATABASE_IO = 2.0
"""Writes to Aurora's storage for each message: rows, undo and log come in units of 4 and 16 KB, shared by a batch."""

MESSAGES_PER_ACU_S = 300
"""How many messages one ACU stores in a second, with reads beside them; an assumption on the careful side."""

CACHE_UNITS = 12
"""ECPUs for each message: rate limit, session, connections of sender and recipients, invalidations."""

CACHE_UNITS_PER_RECIPIENT = 1.0


@dataclass(frozen=True, kw_only=True)
class Invocations:
    """How often a function runs in a month, and how long each time."""

    count: float
    milliseconds: float

    def gb_seconds(self, stage: Stage) -> float:
        """What that takes of the stage's memory."""
        return self.count * self.milliseconds / 1000 * stage.memory_mib / 1024


def invocations_of(stage: Stage, traffic: Traffic) -> dict[str, Invocations]:
    """Tell for each function; times are those of a warm container that waits for stores a network away."""
    batch = traffic.batch
    commands = traffic.messages + traffic.receipts
    posts_each = min(float(stage.mappings.deliver.batch_size), batch * traffic.posts / commands) if commands else 1.0
    offline = traffic.pushes / batch
    return {
        "gateway-authorize": Invocations(count=traffic.connects, milliseconds=5),
        "gateway-websocket": Invocations(
            count=traffic.frames_in - traffic.pings + 2 * traffic.connects, milliseconds=12
        ),
        "logic-upstream": Invocations(count=commands / batch, milliseconds=25 + batch),
        "gateway-deliver": Invocations(count=traffic.posts / posts_each, milliseconds=10 + 0.3 * posts_each),
        "gateway-http": Invocations(count=traffic.rest_calls, milliseconds=40),
        "logic-rpc": Invocations(count=traffic.rest_calls, milliseconds=30),
        "task-worker": Invocations(count=offline + traffic.fan_out_pages, milliseconds=40),
        "task-push": Invocations(count=offline, milliseconds=60),
        "repo-rpc": Invocations(count=2 * offline, milliseconds=10),
    }


def log_gb(traffic: Traffic, invocations: dict[str, Invocations]) -> float:
    """Tell how much the functions and the APIs write into logs."""
    runs = sum(one.count for one in invocations.values())
    doors = traffic.frames_in + traffic.rest_calls + 2 * traffic.connects
    return (runs * LOG_BYTES + doors * ACCESS_LOG_BYTES) / GB


def out_gb(traffic: Traffic, media_kib: float) -> float:
    """Tell how much leaves AWS: frames, answers and files."""
    frames = traffic.posts * FRAME_BYTES + traffic.frames_in * ANSWER_BYTES + traffic.rest_calls * FRAME_BYTES
    return (frames + traffic.downloads * media_kib * 1024) / GB
